"""vatl as one thing to install; what it does is in the distributions that it asks for."""
