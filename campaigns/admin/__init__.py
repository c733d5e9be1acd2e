"""Staff's pages of `campaigns`."""
