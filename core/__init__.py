"""Foundations without business words: errors, events, actors, audit, clock, locks, secrets, engines."""
