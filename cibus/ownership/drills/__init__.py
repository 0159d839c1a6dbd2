"""Drills: what a second owner practises, staged and verified by cibus; what was done is kept as receipts."""
