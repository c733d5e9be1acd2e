"""A campaign's content as JSON: kept when it was approved, compared with when it changed."""

import dataclasses
import datetime as dt
from typing import Any

from campaigns.contracts.campaigns import CampaignDraft, VariantDraft

_MOMENTS = ("starts_at", "ends_at")
_HOURS = ("send_from", "send_until")


def pack_draft(draft: CampaignDraft) -> dict[str, Any]:
    """JSON that `unpack_draft` reads back."""
    packed = dataclasses.asdict(draft)
    for name in (*_MOMENTS, *_HOURS):
        packed[name] = packed[name] and packed[name].isoformat()
    packed["variants"] = [{"weight": one.weight, "acts": list(one.acts)} for one in draft.variants]
    return packed


def unpack_draft(packed: dict[str, Any]) -> CampaignDraft:
    values = dict(packed)
    for name in _MOMENTS:
        values[name] = values[name] and dt.datetime.fromisoformat(values[name])
    for name in _HOURS:
        values[name] = dt.time.fromisoformat(values[name])
    values["variants"] = tuple(VariantDraft(**one) for one in values["variants"])
    return CampaignDraft(**values)
