"""Members, their imports, merges, points, tags, tiers and privacy in the staff admin."""

from members.admin import (
    behaviours,
    consents,
    imports,
    merging,
    people,
    points,
    points_rules,
    privacy,
    recipients,
    tags,
    tier_members,
    tiers,
)

__all__ = [
    "behaviours",
    "consents",
    "imports",
    "merging",
    "people",
    "points",
    "points_rules",
    "privacy",
    "recipients",
    "tags",
    "tier_members",
    "tiers",
]
