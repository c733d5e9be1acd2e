"""Staff's pages of `campaigns`."""

from campaigns.admin import (
    campaign_rules,
    campaigns,
    mapping,
    mass,
    policy,
    proof,
    reaches,
    segments,
    texts,
    words,
)

__all__ = [
    "campaign_rules",
    "campaigns",
    "mapping",
    "mass",
    "policy",
    "proof",
    "reaches",
    "segments",
    "texts",
    "words",
]
