"""How accurate the estimates are, as far as can be told without their truth."""
