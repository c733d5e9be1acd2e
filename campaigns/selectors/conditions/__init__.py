"""Conditions of segments about messages, and about other segments."""
