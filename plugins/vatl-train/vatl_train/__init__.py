"""Training a source estimator on a data set, before any run."""
