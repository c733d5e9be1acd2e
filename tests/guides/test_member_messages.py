"""What a member is told of her points and her tier, while WeChat takes a message for her."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.apps import apps

from core import clock
from guides import handlers
from members import events
from tests.cast import Cast

DAY = dt.date(2026, 12, 31)


def open_window(cast: Cast) -> None:
    apps.get_model("wechat", "Follower").objects.update_or_create(
        account_id=cast.account_id,
        openid=cast.xiaomei_openid,
        defaults={"window_until": clock.now() + dt.timedelta(hours=1)},
    )


def texts() -> list[str]:
    return list(
        apps.get_model("wechat", "OutboundMessage").objects.order_by("pk").values_list("payload", flat=True)
    )


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
def test_she_is_told_once_and_only_while_she_may_be_written_to(
    cast: Cast, tell: Callable[[Cast], None], words: str
) -> None:
    tell(cast)
    assert texts() == []
    open_window(cast)
    apps.get_model("members", "TierChange").objects.all().delete()
    apps.get_model("members", "Tier").objects.all().delete()
    tell(cast)
    [told] = texts()
    assert words in str(told)


def test_twice_is_once_and_who_fell_is_not_told(cast: Cast) -> None:
    open_window(cast)
    points(cast)
    points(cast)
    assert len(texts()) == 1
    handlers.on_tier_changed(tier_change(cast, is_upgrade=False))
    assert len(texts()) == 1
