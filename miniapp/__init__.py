"""The members' mini-program API. Not opened yet; named so that the import contracts already hold."""
