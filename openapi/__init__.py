"""The HTTP API for tills and partners. Not opened yet; named so that the import contracts already hold."""
