"""The demo chain's segments with how many were in them day by day, a list, a snapshot, and a tag that follows one."""

import datetime as dt
import random
from typing import Any, Final

from django.apps import apps

from campaigns import services as campaign_services
from core import clock
from core.actor import Actor
from members import services as member_services

_DICE_SEED: Final = 54
_DAYS: Final = 45
_LISTED: Final = 120
_SLEEPERS: Final = "高价值沉睡客"


def _last(**window: int) -> dict[str, Any]:
    return {"is": "sales.last", "with": {"when": window}}


# Name, note, rule, and how much of it comes and leaves on a day.
_LIVING: Final[tuple[tuple[str, str, dict[str, Any], float], ...]] = (
    (
        _SLEEPERS,
        "买过不少，三个月没来，导购优先联系",
        {"all": [
            {"is": "sales.amount", "with": {"amount": {"at_least": 60_000}}},
            _last(before_days=90),
            {"is": "guides.bound"},
        ]},
        0.006,
    ),
    (
        "新会员还没下单",
        "入会一个月内，一单未买",
        {"all": [
            {"is": "members.joined", "with": {"when": {"last_days": 30}}},
            {"is": "members.stage", "with": {"stages": ["member"]}},
            {"none": [{"is": "sales.orders", "with": {"count": {"at_least": 1}}}]},
        ]},
        0.05,
    ),
    (
        "七天内券到期",
        "手里有券快过期，提醒到店",
        {"all": [{"is": "coupons.expiring", "with": {"days": 7}}]},
        0.08,
    ),
    (
        "一周内过生日",
        "提前准备生日问候",
        {"all": [
            {"is": "members.birthday_ahead", "with": {"days": 7}},
            {"is": "members.stage", "with": {"stages": ["member"]}},
        ]},
        0.14,
    ),
    (
        "看了没买",
        "两周内在小程序看过商品，没有下单",
        {"all": [
            {"is": "members.behaviour", "with": {
                "whether": "did", "kind": "product_viewed", "when": {"last_days": 14}}},
            {"none": [_last(last_days=14)]},
        ]},
        0.09,
    ),
    (
        "老客，一个月内来过",
        "买过三次以上",
        {"all": [{"is": "sales.orders", "with": {"count": {"at_least": 3}}}, _last(last_days=30)]},
        0.02,
    ),
)  # fmt: skip


def seed_segments(*, at: dt.datetime, actor: Actor) -> bool:
    """The segments are there and worked out, with a history; once. Whether this call wrote them."""
    segments = apps.get_model("campaigns", "Segment").objects
    if segments.exists():
        return False
    begun_at = at - dt.timedelta(days=_DAYS)
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents numbers, keeps no secret)
    for name, note, rule, _share in _LIVING:
        campaign_services.create_segment(
            name=name, note=note, kind="living", rule=rule, actor=actor, at=begun_at
        )
    campaign_services.create_segment(
        name="大促前的老客",
        note="大促前定格，之后对比用",
        kind="snapshot",
        # Not by her last purchase: the books know that of today only, and who bought since would be missing.
        rule={"all": [{"is": "sales.orders", "with": {"count": {"at_least": 2}}}]},
        actor=actor,
        at=begun_at,
    )
    snapshot = segments.get(kind="snapshot")
    campaign_services.fill_segment(segment_id=snapshot.pk, at=begun_at)
    members = apps.get_model("members", "Member").objects.filter(stage="member", merged_into=None)
    ids = list(members.order_by("pk").values_list("pk", flat=True))
    campaign_services.create_list(
        name="秋冬新品品鉴会名单",
        note="线下活动到场登记",
        member_ids=dice.sample(ids, min(_LISTED, len(ids))),
        actor=actor,
        at=begun_at,
    )
    _seed_tag(segments.get(name=_SLEEPERS).public_id, at=begun_at, actor=actor)
    campaign_services.work_segments(at=at)
    for name, _note, _rule, share in _LIVING:
        _seed_sizes(dice, segments.get(name=name), share, at)
    return True


def _seed_tag(public_id: str, *, at: dt.datetime, actor: Actor) -> None:
    group = member_services.create_tag_group(name="自动标签", order=9, actor=actor, at=at)
    tag = member_services.create_tag(group_id=group.id, name="沉睡大客", actor=actor, at=at)
    campaign_services.follow_segment(tag_id=tag.id, public_id=public_id, actor=actor, at=at)


def _seed_sizes(dice: random.Random, segment: Any, share: float, at: dt.datetime) -> None:
    """The days before, told backwards from what it is today: each adds up with the next."""
    sizes = apps.get_model("campaigns", "SegmentSize")
    today = clock.business_day(at)
    count, lines = segment.member_count, []
    came, left = _moved(dice, count, share)
    sizes.objects.filter(segment=segment, day=today).update(entered_count=came, left_count=left)
    for ago in range(1, _DAYS):
        count += left - came
        came, left = _moved(dice, count, share)
        day = today - dt.timedelta(days=ago)
        lines.append(sizes(segment=segment, day=day, member_count=count, entered_count=came, left_count=left))
    sizes.objects.bulk_create(lines)


def _moved(dice: random.Random, count: int, share: float) -> tuple[int, int]:
    """How many came and left on a day at whose end they were so many."""
    came, left = (int(count * share * dice.uniform(0.4, 1.7) + dice.random()) for _side in range(2))
    return min(came, count), left
