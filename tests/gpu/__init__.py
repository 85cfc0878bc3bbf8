"""What is to be run where a GPU is at hand: `make gpu`."""
