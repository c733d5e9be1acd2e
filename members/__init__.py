"""Members: people, their identities and where they came from."""
