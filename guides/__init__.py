"""Guides: regions, dealers, stores, guides, exclusive bindings and channel codes."""
