"""Runs of vatl as tasks of a Ray cluster."""
