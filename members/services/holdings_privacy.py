"""A member's own row, and what the privacy desk keeps about her: consents, reveals, requests for her data."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.actor import Actor
from members.contracts import MergeLine
from members.models import ConsentEntry, DataRequest, DataRequestState
from members.services.holdings import FollowingHoldings, MemberHoldings, Snapshot, repoint, repoint_back
from members.services.privacy_parts import erase_privacy, erase_profile, export_privacy, export_profile
from members.services.tags import tag_doer

_BOOKS = ("members.ConsentEntry", "members.PhoneReveal")


class ProfileHoldings(FollowingHoldings):
    """Her own row. Which values survive a merge is the merge's own rule; here it is only told and erased."""

    label = "profile"
    title = gettext_lazy("基本资料")

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        return export_profile(member_id)

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        return erase_profile(member_id=member_id, actor=actor, at=at)


class PrivacyHoldings(MemberHoldings):
    """The books go along; of two open requests of one kind the survivor's stays open."""

    label = "privacy"
    title = gettext_lazy("授权与隐私")
    models = ("members.ConsentEntry", "members.PhoneReveal", "members.DataRequest")

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        def said(member_id: int) -> str:
            return _("%(n)s 条") % {"n": ConsentEntry.objects.filter(member_id=member_id).count()}

        if not ConsentEntry.objects.filter(member_id__in=[survivor_id, emptier_id]).exists():
            return []
        return [
            MergeLine(
                title=_("授权记录"),
                survivor=said(survivor_id),
                emptier=said(emptier_id),
                outcome=_("合在一起"),
                reason=_("每一项以最近一次表态为准"),
            )
        ]

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        open_kinds = DataRequest.objects.open().filter(member_id=survivor_id).values_list("kind", flat=True)
        doubled = (
            DataRequest.objects.open().filter(member_id=emptier_id, kind__in=list(open_kinds)).lock_rows()
        )
        for request in doubled:
            request.state = DataRequestState.WITHDRAWN
            request.closed_at, request.closed_by = at, tag_doer(actor)
            request.save(update_fields=["state", "closed_at", "closed_by"])
        moved = {
            model: repoint(model=model, emptier_id=emptier_id, survivor_id=survivor_id)
            for model in (*_BOOKS, "members.DataRequest")
        }
        return {"moved": moved, "closed": [request.pk for request in doubled]}

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        for model, ids in snapshot["moved"].items():
            repoint_back(model=model, ids=ids, emptier_id=emptier_id)
        for request in DataRequest.objects.filter(pk__in=snapshot["closed"]).lock_rows():
            request.state = DataRequestState.OPEN
            request.closed_at, request.closed_by = None, ""
            request.save(update_fields=["state", "closed_at", "closed_by"])

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        return export_privacy(member_id)

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        return erase_privacy(member_id=member_id, actor=actor, at=at)
