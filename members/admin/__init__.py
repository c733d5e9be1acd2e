"""Members, their points and tags in the staff admin."""

from members.admin import people, points, points_rules, tags

__all__ = ["people", "points", "points_rules", "tags"]
