"""What a member is told of her points and her tier."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.apps import apps

from core import clock
from guides import handlers
from members import events
from tests.cast import Cast
from tests.told import told_texts

DAY = dt.date(2026, 12, 31)


def tier_change(cast: Cast, *, is_upgrade: bool) -> events.TierChanged:
    tier = apps.get_model("members", "Tier").objects.create(rank=5, name="金卡")
    change = apps.get_model("members", "TierChange").objects.create(
        member_id=cast.xiaomei.id, to_tier=tier, is_upgrade=is_upgrade, cause="reached", at=clock.now()
    )
    return events.TierChanged(change.pk, change.pk)


def points(cast: Cast) -> None:
    handlers.on_points_expiring(events.PointsExpiring(cast.xiaomei.id, DAY.isoformat(), 120))


def tier_up(cast: Cast) -> None:
    handlers.on_tier_changed(tier_change(cast, is_upgrade=True))


def at_risk(cast: Cast) -> None:
    tier = apps.get_model("members", "Tier").objects.create(rank=5, name="金卡")
    handlers.on_tier_at_risk(events.TierAtRisk(cast.xiaomei.id, tier.pk, DAY.isoformat(), 10_000, None, None))


@pytest.mark.parametrize(
    ("tell", "words"), [(points, "120 积分"), (tier_up, "升级为金卡"), (at_risk, "金卡资格")]
)
def test_she_is_told_in_words(cast: Cast, tell: Callable[[Cast], None], words: str) -> None:
    tell(cast)
    [told] = told_texts()
    assert words in told


def test_twice_is_once_and_who_fell_is_not_told(cast: Cast) -> None:
    points(cast)
    points(cast)
    assert len(told_texts()) == 1
    handlers.on_tier_changed(tier_change(cast, is_upgrade=False))
    assert len(told_texts()) == 1
