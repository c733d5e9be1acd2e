"""What undoing a merge would bring back, without what was withdrawn meanwhile."""

import json
from collections.abc import Collection
from typing import Any, Final

from django.db.models import Q

from members.models import GivenThrough, Identity, MemberIdentity, MemberMerge
from members.selectors import phone_indexes
from members.services.merging import pack_snapshot

INSIDE_WECHAT: Final = (GivenThrough.MINI_PROGRAM, GivenThrough.OFFICIAL_ACCOUNT)


def is_from_wechat(given_through: str) -> bool:
    """Whether it was given inside WeChat, or nobody knows where."""
    return not given_through or given_through in INSIDE_WECHAT


def forget_in_snapshots(*, member_ids: Collection[int], kinds: Collection[str]) -> None:
    """The merges of these rows remember no name, phone or address (`kinds`) that was given inside WeChat.

    Run after the identities are settled: a phone without one is forgotten. The rows are locked by the caller.
    """
    merges = MemberMerge.objects.live().filter(Q(emptier__in=member_ids) | Q(survivor__in=member_ids))
    kept = set(
        MemberIdentity.objects.filter(member__in=member_ids, kind=Identity.PHONE).values_list(
            "value", flat=True
        )
    )
    for merge in merges.lock_rows():
        if not merge.snapshot:
            continue
        snapshot = json.loads(merge.snapshot)
        for columns in snapshot["before"].values():
            _forget_columns(columns, kinds, kept)
        if "address" in kinds:
            _forget_address(snapshot["parts"].get("address", {}))
        packed = pack_snapshot(snapshot)
        if packed != merge.snapshot:
            merge.snapshot = packed
            merge.save(update_fields=["snapshot"])


def _forget_columns(columns: dict[str, Any], kinds: Collection[str], kept: set[str]) -> None:
    if "name" in kinds and is_from_wechat(columns.get("name_given_through", "")):
        columns |= {"name": "", "name_tokens": [], "name_given_through": ""}
    if "phone" in kinds and columns["phone"] and kept.isdisjoint(phone_indexes(columns["phone"])):
        columns |= {"phone": "", "phone_tail": ""}


def _forget_address(part: dict[str, Any]) -> None:
    for side in ("before", "after"):
        if side in part and is_from_wechat(part[side].get("given_through", "")):
            # Without both there is nothing to restore.
            part.pop("before", None)
            part.pop("after", None)
