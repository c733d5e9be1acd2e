"""Orders and returns, whose they are, and what everybody truly sold."""
