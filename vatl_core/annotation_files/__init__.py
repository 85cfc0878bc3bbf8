"""Reading the annotation files of others: what data-set adapters share."""
