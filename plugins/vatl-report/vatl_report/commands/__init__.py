"""The commands that look at runs, a module each."""
