"""Members, their points, tags and tiers in the staff admin."""

from members.admin import people, points, points_rules, tags, tier_members, tiers

__all__ = ["people", "points", "points_rules", "tags", "tier_members", "tiers"]
