"""Measures against floors in the same run: `make bench`, or `python -m bench callback`."""
