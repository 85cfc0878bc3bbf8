"""A plugin's package, written from a kind and a name: ``vatl plugins new criterion spread``."""
