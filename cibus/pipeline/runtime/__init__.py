"""Executing pipelines: scopes, branches, stages, conditions, results."""
