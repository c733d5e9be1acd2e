"""Conditions of segments about purchases."""
