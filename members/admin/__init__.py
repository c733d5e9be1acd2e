"""Members, their points and tags in the staff admin."""

from members.admin import imports, people, points, points_rules, tags

__all__ = ["imports", "people", "points", "points_rules", "tags"]
