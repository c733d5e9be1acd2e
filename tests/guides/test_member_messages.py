"""What a member is told of her points and her tier."""

import datetime as dt
import json
from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import transaction

from core import clock
from core.actor import Actor
from guides import handlers
from members import events
from members import selectors as member_selectors
from members import services as member_services
from tests.cast import DIRECTOR, Cast
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


def adjust(cast: Cast, delta: int, key: str) -> None:
    staff = Actor.staff(cast.head_office.pk, "总部")
    member_services.adjust_points(
        member_id=cast.xiaomei.id, delta=delta, reason="补登积分", request_key=key, actor=staff
    )


def test_an_adjustment_is_told_once_with_what_she_has_now(cast: Cast) -> None:
    adjust(cast, 120, "k1")
    adjust(cast, 120, "k1")
    adjust(cast, -20, "k2")
    assert told_texts("points:") == [
        "您的积分增加了 120 分（补登积分），现在有 120 分。",
        "您的积分减少了 20 分（补登积分），现在有 100 分。",
    ]
    first = apps.get_model("campaigns", "Reach").objects.order_by("pk")[0]
    assert json.loads(first.content)["values"]["points"] == "+120"


def test_an_adjustment_that_waits_is_not_told_before_it_is_approved(cast: Cast) -> None:
    limit = member_selectors.get_points_decisions().approval_limit
    adjust(cast, limit + 1, "k1")
    assert told_texts("points:") == []
    asked = apps.get_model("members", "PointsAdjustment").objects.get()
    member_services.approve_adjustment(adjustment_id=asked.pk, actor=Actor.staff(cast.regional.pk, "东区"))
    assert len(told_texts("points:")) == 1


def test_what_is_rolled_back_is_not_told(cast: Cast) -> None:
    with transaction.atomic():
        adjust(cast, 10, "k2")
        assert len(told_texts("points:")) == 1
        transaction.set_rollback(True)
    assert told_texts("points:") == []


def test_points_of_a_sale_are_told_with_the_sale_only(cast: Cast) -> None:
    member_services.credit_points(
        member_id=cast.xiaomei.id, points=5, source_key="sale:1", reason="购物获得", actor=DIRECTOR
    )
    assert told_texts() == []


def test_the_points_for_a_profile_are_told(cast: Cast) -> None:
    apps.get_model("members", "PointsSettings").objects.update_or_create(defaults={"profile_reward": 50})
    member_services.reward_profile(member_id=cast.xiaomei.id, actor=DIRECTOR)
    member_services.reward_profile(member_id=cast.xiaomei.id, actor=DIRECTOR)
    [told] = told_texts("points:")
    assert "增加了 50 分（完善资料）" in told
