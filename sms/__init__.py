"""The gateway to text messages: rows that are sent at most once, and the only place that talks to a provider."""
