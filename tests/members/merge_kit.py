"""What the merge tests share: rows of one person, merging them, and parting them again."""

import datetime as dt
from typing import Any

from core import clock
from core.actor import Actor
from core.errors import Refusal
from members import services
from members.contracts import MemberCard
from members.models import Member, MemberIdentity, MemberMerge
from tests.cast import APP_ID, openid_of

DESK = Actor.staff(7, "desk")
JOINED = dt.datetime(2026, 3, 1, 4, tzinfo=dt.UTC)


def follower(key: str, *, name: str = "", at: dt.datetime | None = None, **values: Any) -> MemberCard:
    """A prospect who follows."""
    card = services.register_follower(
        app_id=APP_ID, openid=openid_of(key), actor=Actor.wechat(), at=at, **values
    )
    return services.rename_member(member_id=card.id, name=name, actor=DESK) if name else card


def customer(phone: str, *, name: str = "林小美", at: dt.datetime | None = None, **values: Any) -> MemberCard:
    """A member who joined at a till."""
    return services.register_member(name=name, phone=phone, source="pos", actor=DESK, at=at, **values)


def merge(first_id: int, second_id: int, **values: Any) -> MemberMerge:
    """Merged; the record of it."""
    services.merge_members(first_id=first_id, second_id=second_id, **{"actor": DESK, **values})
    return MemberMerge.objects.live().order_by("pk").last()  # type: ignore[return-value]


def undo(record: MemberMerge, **values: Any) -> MemberCard:
    return services.undo_merge(merge_id=record.pk, **{"actor": DESK, **values})


def row(member_id: int) -> Member:
    return Member.objects.get(pk=member_id)


def identities_of(member_id: int) -> set[tuple[str, str]]:
    return set(MemberIdentity.objects.filter(member_id=member_id).values_list("kind", "value"))


def columns(member_id: int) -> dict[str, Any]:
    """Everything in her row."""
    found = Member.objects.get(pk=member_id)
    return {field.name: getattr(found, field.attname) for field in Member._meta.concrete_fields}


def code_of(call: Any, **values: Any) -> str:
    """The code of the refusal, or nothing."""
    try:
        call(**values)
    except Refusal as refusal:
        return refusal.code
    return ""


def days_ago(days: int) -> dt.datetime:
    return clock.now() - dt.timedelta(days=days)
