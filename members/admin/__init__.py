"""Members, their merges, points and tags in the staff admin."""

from members.admin import merging, people, points, points_rules, tags

__all__ = ["merging", "people", "points", "points_rules", "tags"]
