"""Looking through the least certain poses of a finished run, and learning from what was corrected."""
