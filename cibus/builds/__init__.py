"""Builds of a controller, here: captured in a bundle, reproduced, and compared."""
