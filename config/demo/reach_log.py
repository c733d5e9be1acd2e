"""What the demo's members were told in the last weeks: most of it arrived, some went on to another channel, a little did not
go, and the log says why. The same every time but for `at`."""

import dataclasses
import datetime as dt
import itertools
import json
import random
from collections.abc import Sequence
from typing import Any, Final

from django.apps import apps

from core import clock
from core.actor import Actor
from sms import services as sms_services
from sms.contracts import Spending

_DICE_SEED: Final = 59
_DAYS: Final = 21
_A_DAY: Final = 90
# Whoever buys is told of it: orders, points, coupons, tiers. Others hear from the chain now and then.
_MOST_ORDERS: Final = 12
_OPENING_HOURS: Final = (10, 21)
_TEXT_PRICE: Final = 450  # hundredths of a fen for one text
_CHAIN: Final = ("subscription", "template", "service_message", "sms", "follow_up", "inbox")
# Topic, how often, title, text, and which channels its chain has.
_TOPICS: Final[tuple[tuple[str, int, str, str, tuple[str, ...]], ...]] = (
    ("sale", 30, "感谢您的光临", "您在素衣门店购物 {yuan} 元，获得 {points} 积分。", ()),
    ("points_changed", 20, "积分到账", "购物获得 {points} 积分，已存入您的账户。", ()),
    ("coupon_issued", 20, "券到账", "一张满 1000 减 120 的券已放进您的卡包。", ()),
    ("coupon_expiring", 12, "券快到期了", "您有 {count} 张券将在 3 天后到期，请到店使用。", ("sms", "follow_up")),
    ("points_expiring", 6, "积分快到期了", "您有 {points} 积分将在月底到期。", ()),
    ("tier_up", 3, "恭喜升级", "您已升为银卡会员，积分 1.2 倍。", ()),
    ("tier_at_risk", 3, "保级提醒", "再消费 {yuan} 元即可保留您的等级。", ("follow_up",)),
    ("guide_changed", 4, "专属导购变更", "您的专属导购有变化，点击查看。", ()),
    ("request_step", 5, "服务进展", "您的服务请求有新进展：已接单。", ("sms",)),
)  # fmt: skip
_TEXTS: Final = {"coupon_expiring": "1002", "request_step": "1004"}  # config.demo.texts
_MUST: Final = frozenset({"request_step"})
# What nobody is told who has not bought in these weeks.
_OF_BUYERS: Final = frozenset({"sale", "points_changed"})


@dataclasses.dataclass(frozen=True, slots=True)
class Reachable:
    """A member as channels see her."""

    id: int
    is_following: bool
    has_openid: bool
    has_mini: bool
    has_phone: bool
    has_guide: bool


def seed_reach_log(*, at: dt.datetime, actor: Actor) -> None:
    """Reaches of the last weeks and the inbox messages among them. Once."""
    reach, inbox = apps.get_model("campaigns", "Reach"), apps.get_model("campaigns", "InboxMessage")
    if reach.objects.filter(reason_key__startswith="demo:").exists():
        return
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents messages, keeps no secret)
    members = list_reachable()
    if not members:
        return
    told = dice.choices(members, cum_weights=_favours(members), k=_DAYS * _A_DAY)
    buyers = _buyers(at)
    rows = [
        _row(dice, reach, member, f"demo:{number}", _moment(dice, at), is_buyer=member.id in buyers)
        for number, member in enumerate(told)
    ]
    rows.sort(key=lambda row: row.queued_at)
    reach.objects.bulk_create(rows)
    for row in rows:
        if row.channel == "sms":
            spent = Spending("notice", _TEXTS[row.topic], row.topic, row.segment_count, row.cost_hundredths)
            sms_services.note_spending(spent=[spent], at=row.sent_at)
    inbox.objects.bulk_create(
        inbox_message(dice, inbox, row) for row in rows if row.channel == "inbox" and row.state == "sent"
    )


def list_reachable() -> list[Reachable]:
    """Those who can be reached at all."""
    identities = apps.get_model("members", "MemberIdentity").objects
    kinds = {
        kind: set(identities.filter(kind=kind).values_list("member_id", flat=True))
        for kind in ("openid", "mini_openid", "phone")
    }
    bound = set(
        apps.get_model("guides", "Binding").objects.filter(ended_at=None).values_list("member_id", flat=True)
    )
    rows = apps.get_model("members", "Member").objects.filter(stage="member", merged_into=None).order_by("pk")
    return [
        Reachable(
            member_id,
            is_following,
            member_id in kinds["openid"],
            member_id in kinds["mini_openid"],
            member_id in kinds["phone"],
            member_id in bound,
        )
        for member_id, is_following in rows.values_list("pk", "is_following")
        if member_id in kinds["openid"] or member_id in kinds["mini_openid"]
    ]


def _favours(members: Sequence[Reachable]) -> list[float]:
    """How much each is told, added up: nobody more than a few who buy every week."""
    buyers = apps.get_model("sales", "MemberMetrics").objects.buyers()
    orders = dict(buyers.values_list("member_id", "order_count"))
    return list(
        itertools.accumulate(1 + min(orders.get(member.id, 0), _MOST_ORDERS) ** 1.5 for member in members)
    )


def _buyers(at: dt.datetime) -> set[int]:
    """Who bought in these weeks."""
    rows = apps.get_model("sales", "MemberMetrics").objects.filter(
        last_on__gt=clock.business_day(at) - dt.timedelta(days=_DAYS)
    )
    return set(rows.values_list("member_id", flat=True))


def _moment(dice: random.Random, at: dt.datetime) -> dt.datetime:
    """In a shop's hours, the last one an hour ago."""
    first, last = _OPENING_HOURS
    day = at - dt.timedelta(days=dice.randrange(1, _DAYS + 1))
    here = day.astimezone(dt.timezone(dt.timedelta(hours=8)))
    minute = dice.randrange(first * 60, last * 60)
    return here.replace(hour=minute // 60, minute=minute % 60, second=dice.randrange(60)).astimezone(dt.UTC)


def _row(
    dice: random.Random, model: Any, member: Reachable, key: str, then: dt.datetime, *, is_buyer: bool
) -> Any:
    topics = [one for one in _TOPICS if is_buyer or one[0] not in _OF_BUYERS]
    topic, _weight, title, text, more = dice.choices(topics, [one[1] for one in topics])[0]
    chain = [name for name in _CHAIN if name not in ("sms", "follow_up") or name in more]
    words = text.format(
        yuan=dice.randint(2, 30) * 100 - 1, points=dice.randint(30, 2_400), count=dice.randint(1, 3)
    )
    content = {"title": title, "text": words, "values": {}, "page": ""}
    row = model(
        reason_key=key,
        member_id=member.id,
        topic=topic,
        importance="must" if topic in _MUST else "normal",
        content=json.dumps(content, ensure_ascii=False),
        channels=",".join(chain),
        queued_at=then,
        not_before=then,
        expires_at=then + dt.timedelta(hours=24 if topic in _MUST else 72),
        attempt_count=1,
    )
    fate = dice.random()
    if fate < 0.035 and topic not in _MUST:
        row.state, row.finished_at, row.attempt_count = "skipped", then + dt.timedelta(seconds=3), 0
        row.code = dice.choice(("no_consent", "no_consent", "taken_back", "expired"))
        return row
    send_over(dice, row, member, chain, then, loses=fate > 0.985)
    return row


def send_over(
    dice: random.Random, row: Any, member: Reachable, chain: Sequence[str], then: dt.datetime, *, loses: bool
) -> None:
    """Over the first channel that takes it. `loses`: WeChat said it would not, or nobody knows."""
    sent_at = then + dt.timedelta(seconds=dice.uniform(1, 20))
    row.sent_at, row.finished_at = sent_at, sent_at + dt.timedelta(seconds=dice.uniform(0.2, 2))
    for step, channel in enumerate(chain):
        code = _why_not(dice, channel, member)
        if code:
            row.tries.append({"channel": channel, "code": code, "at": sent_at.isoformat()})
            row.step = step + 1
            continue
        row.channel, row.step = channel, step
        row.state = "sent" if channel in ("follow_up", "inbox", "service_message") else "delivered"
        if channel in ("subscription", "template", "sms"):
            row.message_id = f"{'demo-' if channel == 'sms' else ''}{dice.randrange(10**9, 10**10)}"
        if channel == "sms":
            row.segment_count, row.cost_hundredths = 1, _TEXT_PRICE
        if loses and channel == "template":
            row.state, row.code = "uncertain", "wechat.timeout"
            row.message_id = ""
        return
    last = row.tries[-1]
    row.state, row.code, row.sent_at = "failed", last["code"], None
    row.channel = ""


def _why_not(dice: random.Random, channel: str, member: Reachable) -> str:
    """Why this channel does not take it; "" when it does."""
    if channel == "subscription":
        return (
            "" if member.has_mini and dice.random() < 0.12 else "no_grant" if member.has_mini else "not_known"
        )
    if channel in ("template", "service_message") and not member.is_following:
        return "not_following" if member.has_openid else "not_known"
    if channel == "template":
        return "" if dice.random() < 0.9 else "wechat.blocked" if dice.random() < 0.3 else "capped"
    if channel == "service_message":
        return "" if dice.random() < 0.3 else "no_window"
    if channel == "sms":
        return "" if member.has_phone else "no_phone"
    if channel == "follow_up":
        return "" if member.has_guide else "no_guide"
    return "" if member.has_mini else "no_mini_program"


def inbox_message(dice: random.Random, model: Any, row: Any) -> Any:
    content = json.loads(row.content)
    is_read = dice.random() < 0.6
    return model(
        member_id=row.member_id,
        topic=row.topic,
        title=content["title"],
        text=content["text"],
        page="",
        reason_key=row.reason_key,
        sent_at=row.sent_at,
        read_at=row.sent_at + dt.timedelta(hours=dice.uniform(0.1, 30)) if is_read else None,
    )
