"""Criteria that ask what an instance tells about the others, or nothing at all."""
