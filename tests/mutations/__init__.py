"""Small valid inputs, mutated: each is refused in one line that names the file, or read as it says, a second reading
of it by the plainest means being what it says."""
