"""Somebody of the demo chain who is known twice, so that the merge desk has a pair to propose."""

import datetime as dt
from typing import Final

from django.apps import apps

from core.actor import Actor
from guides import services as guide_services
from members import selectors as member_selectors
from members import services as member_services

_NAME: Final = "沈若溪"
_BIRTHDAY: Final = dt.date(1991, 6, 18)
# Two numbers with one tail, as somebody has who changed her operator. Guide, days ago, points.
_ROWS: Final = (("13916207351", "G001", 310, 860), ("18616207351", "G006", 24, 120))


def seed_doubles(*, at: dt.datetime, actor: Actor) -> bool:
    """She joined at two tills, at each with another phone and guide. Seeds once; whether this call wrote it."""
    if member_selectors.find_member_id("phone", "", _ROWS[0][0]) is not None:
        return False
    for phone, number, days, points in _ROWS:
        then = at - dt.timedelta(days=days)
        card = member_services.register_member(
            name=_NAME, phone=phone, source="pos", gender="female", birthday=_BIRTHDAY, actor=actor, at=then
        )
        guide = apps.get_model("guides", "Guide").objects.get(number=number)
        guide_services.bind_member(member_id=card.id, guide_id=guide.pk, source="pos", actor=actor, at=then)
        member_services.credit_points(
            member_id=card.id, points=points, source_key=f"demo:{number}", actor=actor, at=then
        )
    return True
