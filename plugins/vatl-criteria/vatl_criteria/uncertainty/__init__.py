"""Criteria that ask how sure the estimator is."""
