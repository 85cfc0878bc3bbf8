"""``vatl train`` and ``vatl fit``."""
