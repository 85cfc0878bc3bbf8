"""A search for the options of components: what is searched, by what it is judged, carrying it out, what it found."""
