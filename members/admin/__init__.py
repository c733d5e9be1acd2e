"""Members, their merges, points, tags and tiers in the staff admin."""

from members.admin import merging, people, points, points_rules, tags, tier_members, tiers

__all__ = ["merging", "people", "points", "points_rules", "tags", "tier_members", "tiers"]
