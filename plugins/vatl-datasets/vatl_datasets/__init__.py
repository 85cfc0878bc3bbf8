"""Looking at data sets of vatl."""
