"""Networks as files that run without vatl: which, what they are told, how they are written."""
