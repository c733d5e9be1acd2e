"""The rotating codes on a member's screen, as something kept about her."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from members.contracts import MergeLine
from members.models import MemberCodeToken
from members.services.holdings import MemberHoldings, Snapshot, repoint, repoint_back

_TOKEN = "members.MemberCodeToken"  # noqa: S105  (a table's name)


class MemberCodeHoldings(MemberHoldings):
    """Codes that live a minute: moved so that one on a screen stays good; nothing in them to read."""

    label: ClassVar[str] = "member_codes"
    title: ClassVar[str | Promise] = _("动态会员码")
    models: ClassVar[tuple[str, ...]] = (_TOKEN,)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        return ()

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        return {"codes": repoint(model=_TOKEN, emptier_id=emptier_id, survivor_id=survivor_id)}

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        repoint_back(model=_TOKEN, ids=snapshot["codes"], emptier_id=emptier_id)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        return {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        return MemberCodeToken.objects.filter(member_id=member_id).delete()[0]
