"""Staff's pages of `campaigns`."""

from campaigns.admin import (
    campaign_rules,
    campaigns,
    contacts,
    enrolments,
    journeys,
    mapping,
    mass,
    materials,
    policy,
    proof,
    reaches,
    runs,
    segments,
    texts,
    webhooks,
    words,
)

__all__ = [
    "campaign_rules",
    "campaigns",
    "contacts",
    "enrolments",
    "journeys",
    "mapping",
    "mass",
    "materials",
    "policy",
    "proof",
    "reaches",
    "runs",
    "segments",
    "texts",
    "webhooks",
    "words",
]
