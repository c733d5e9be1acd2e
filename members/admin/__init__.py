"""Members, their points, tags and privacy in the staff admin."""

from members.admin import consents, people, points, points_rules, privacy, tags

__all__ = ["consents", "people", "points", "points_rules", "privacy", "tags"]
