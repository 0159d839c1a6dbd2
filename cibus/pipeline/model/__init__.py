"""Declarative Pipeline: records, reading the syntax tree, validation with Jenkins' messages."""
