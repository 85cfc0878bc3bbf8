"""Many runs as one experiment: what they are, where they are kept, carrying them out, what came of them."""
