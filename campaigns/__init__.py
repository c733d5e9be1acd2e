"""Segments, campaigns and journeys. Not opened yet; named so that the import contracts already hold."""
