"""Selectors: which instances to ask for, given scores and features."""
