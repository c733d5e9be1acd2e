"""Whom a campaign is for, how many of them it would reach now and over what, and what it costs at most."""

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from campaigns.contracts import CHANNELS, ChannelName
from campaigns.contracts.acts import Act
from campaigns.contracts.campaigns import AudienceSight, CampaignEstimate, ChannelSight
from campaigns.contracts.segments import Group, Leaf
from campaigns.errors import SegmentTooSlow
from campaigns.models import (
    Campaign,
    Importance,
    MappingKind,
    Reach,
    ReachBar,
    SubscriptionGrant,
    TopicTemplate,
)
from campaigns.selectors.acts import act_of
from campaigns.selectors.policy import get_policy, list_topic_terms
from campaigns.selectors.segments.compiling import Sql, found_of, select_members, sql_of
from campaigns.selectors.segments.people import asked
from campaigns.selectors.standing import default_accounts
from campaigns.selectors.tally import LONGEST_LIFE, WEEK
from campaigns.selectors.text_standing import live_topic_texts, text_cost_at_most
from core import clock
from coupons import selectors as coupon_selectors
from guides import selectors as guide_selectors
from members import selectors as member_selectors
from members.selectors.agreed_sql import agreed_sql
from sms import services as sms_services
from wechat.contracts import AccountCard
from wechat.services import followers

TOPIC: Final = "marketing"
_THROUGH_WECHAT: Final = frozenset({"subscription", "template", "service_message"})
# Weight and acts of each variant.
VariantActs = tuple[tuple[int, tuple[Act, ...]], ...]
_COUNTS: Final = 'WITH wanted ("id") AS MATERIALIZED ({wanted}) SELECT {counts} FROM wanted {joins}'
_JOIN: Final = 'LEFT JOIN ({keys}) AS "{name}" ("member_id") ON "{name}"."member_id" = wanted."id"'
_DISTINCT: Final = "SELECT DISTINCT * FROM ({keys}) AS each"


def audience_sql(campaign: Campaign, *, day: dt.date | None = None) -> Sql:
    """The one statement whose rows are the ids of the living members whom the campaign is for on that Shanghai day: in its
    segment, not in the excluded one, and of its part of the chain. Consent and channels do not narrow it."""
    parts: list[Any] = [Leaf("campaigns.segment", {"segments": [campaign.segment.public_id]})]
    if campaign.excluded_segment is not None:
        excluded = Leaf("campaigns.segment", {"segments": [campaign.excluded_segment.public_id]})
        parts.append(Group("none", (excluded,)))
    found = found_of(Group("all", tuple(parts)), day or clock.today())
    return select_members(found, scope=_part_of(campaign))


def _part_of(campaign: Campaign) -> QuerySet[Any, int] | None:
    if campaign.is_of_chain:
        return None
    return guide_selectors.place_member_ids(
        store_ids=[] if campaign.store_id is None else [campaign.store_id],
        region_ids=[] if campaign.region_id is None else [campaign.region_id],
    )


def acts_of(campaign: Campaign) -> VariantActs:
    """Weight and acts of each variant, in the order of their letters."""
    rows = campaign.variants.order_by("letter")
    return tuple((row.weight, tuple(act_of(act) for act in row.acts)) for row in rows)


def channels_of(acts: Iterable[Act]) -> tuple[ChannelName, ...]:
    """The channels over which messages of these acts may go, in the order in which they are tried."""
    named: set[str] = set()
    for act in acts:
        if act.kind == "reach":
            named |= set(act.values.get("channels") or list_topic_terms()[TOPIC].channels)
    return tuple(channel for channel in CHANNELS if channel in named)


@dataclasses.dataclass(frozen=True, slots=True)
class _Keys:
    """Members by their ids. `is_once`: none of them twice, so that nothing has to make them distinct."""

    sql: Sql
    is_once: bool = False

    @property
    def text(self) -> str:
        return self.sql.text if self.is_once else _DISTINCT.format(keys=self.sql.text)


_Rows = _Keys | None


def _keys(rows: QuerySet[Any, Any], *, is_once: bool = False) -> _Rows:
    sql = sql_of(rows.order_by())
    return None if sql is None else _Keys(sql, is_once)


@dataclasses.dataclass(frozen=True, slots=True)
class _Test:
    """A column of the counting statement: who is in `rows`; None is nobody."""

    name: str
    rows: _Rows


def sight_audience(
    campaign: Campaign, *, variants: VariantActs | None = None, at: dt.datetime | None = None
) -> AudienceSight:
    """How many it is for now, how many agree, who has had enough today, and over which channel the first message goes.
    `variants`: of a campaign that is not kept yet. Raises SegmentTooSlow."""
    at = at or clock.now()
    every = [act for _weight, acts in (acts_of(campaign) if variants is None else variants) for act in acts]
    channels = channels_of(every)
    ways = _ways(channels, at)
    tests = [
        _Test("agreed", _Keys(Sql(*agreed_sql()), is_once=True)),
        _Test("capped", _capped_ids(at)),
        _Test("guided", _guided_ids()),
        *(_Test(channel, rows) for channel, rows in ways.items()),
    ]
    text, params, names = _count_statement(
        audience_sql(campaign, day=clock.business_day(at)), tests, channels
    )
    with asked(text, params) as rows:
        counts = dict(zip(names, rows[0], strict=True))
    return AudienceSight(
        member_count=counts["all"],
        control_count=counts["all"] * campaign.holdout_bp // 10_000,
        agreed_count=counts["agreed"],
        capped_count=counts["capped"],
        guided_count=counts["guided"],
        channels=tuple(
            ChannelSight(channel, counts[f"could_{channel}"], counts[f"first_{channel}"])
            for channel in channels
        ),
        reached_count=sum(counts[f"first_{channel}"] for channel in channels),
    )


def _count_statement(
    wanted: Sql, tests: Sequence[_Test], channels: Sequence[str]
) -> tuple[str, tuple[Any, ...], list[str]]:
    """One row of counts with their names. Each test is a left join of keys that stand there once, never a look-up a member;
    tests that ask the same share one."""
    joins, params = [], list(wanted.params)
    known: dict[str, str] = {}
    joined: dict[_Keys, str] = {}
    for test in tests:
        if test.rows is None:
            known[test.name] = "FALSE"
            continue
        if test.rows not in joined:
            joined[test.rows] = test.name
            joins.append(_JOIN.format(keys=test.rows.text, name=test.name))
            params += test.rows.sql.params
        known[test.name] = f'"{joined[test.rows]}"."member_id" IS NOT NULL'
    free = f"({known['agreed']}) AND NOT ({known['capped']})"
    columns = {
        "all": "TRUE",
        "agreed": known["agreed"],
        "capped": f"({known['agreed']}) AND ({known['capped']})",
    }
    columns["guided"] = known["guided"]
    before: list[str] = []
    for channel in channels:
        columns[f"could_{channel}"] = f"{free} AND ({known[channel]})"
        columns[f"first_{channel}"] = " AND ".join([free, f"({known[channel]})", *before])
        before.append(f"NOT ({known[channel]})")
    counts = ", ".join(f"count(*) FILTER (WHERE {where})" for where in columns.values())
    text = _COUNTS.format(wanted=wanted.text, counts=counts, joins=" ".join(joins))
    return text, tuple(params), list(columns)


def _ways(channels: Collection[str], at: dt.datetime) -> dict[str, _Rows]:
    """Who can be written to over each of these channels; of no other it is asked what it takes."""
    ways: dict[str, _Rows] = dict.fromkeys(channels)
    official, mini = default_accounts()
    if _THROUGH_WECHAT.intersection(channels):
        ways |= _wechat_ways(official, mini, at)
    if "sms" in channels and TOPIC in live_topic_texts() and sms_services.is_set_up():
        ways["sms"] = _keys(member_selectors.with_any_phone_ids())
    if "follow_up" in channels:
        ways["follow_up"] = _guided_ids()
    if "inbox" in channels and mini is not None:
        # Only who has ever opened the mini-program would find it.
        ways["inbox"] = _keys(member_selectors.openid_owner_ids(mini.app_id, None))
    return {channel: ways[channel] for channel in CHANNELS if channel in channels}


def _wechat_ways(official: AccountCard | None, mini: AccountCard | None, at: dt.datetime) -> dict[str, _Rows]:
    rows = TopicTemplate.objects.filter(topic=TOPIC, is_on=True)
    mapped = {(row.kind, row.account_id): row.template_id for row in rows}
    ways: dict[str, _Rows] = {}
    if mini is not None and (MappingKind.SUBSCRIPTION, mini.id) in mapped:
        template_id = mapped[MappingKind.SUBSCRIPTION, mini.id]
        grants = SubscriptionGrant.objects.filter(account_id=mini.id, template_id=template_id, count__gt=0)
        owners = member_selectors.openid_owner_ids(mini.app_id, grants.values_list("openid", flat=True))
        ways["subscription"] = _keys(owners)
    if official is not None:
        bars = ReachBar.objects.filter(account_id=official.id, member_id=OuterRef("member_id"))
        if (MappingKind.TEMPLATE, official.id) in mapped:
            followed = followers.following_openids(account_id=official.id)
            owners = member_selectors.openid_owner_ids(official.app_id, followed)
            ways["template"] = _keys(owners.filter(~Exists(bars)))
        opened = followers.open_window_openids(account_id=official.id, at=at)
        ways["service_message"] = _keys(member_selectors.openid_owner_ids(official.app_id, opened))
    return ways


def _guided_ids() -> _Rows:
    """A member has one binding that lives (`binding_one_live_per_member`)."""
    return _keys(guide_selectors.with_guide_ids(), is_once=True)


def _capped_ids(at: dt.datetime) -> _Rows:
    """Who has had so many of all channels together that no marketing goes to her any more today: what was sent is read once,
    whatever caps there are."""
    caps = [
        cap for cap in get_policy().caps if not cap.channel and cap.importance in ("", Importance.MARKETING)
    ]
    if not caps:
        return None
    today, _end = clock.day_bounds(clock.business_day(at))
    week = today - WEEK + dt.timedelta(days=1)
    since = week if any(cap.span != "day" for cap in caps) else today
    counts, over = {}, Q()
    for number, cap in enumerate(caps):
        counted = Q(sent_at__gte=today if cap.span == "day" else week)
        if cap.importance:
            counted &= Q(importance=cap.importance)
        counts[f"count_{number}"] = Count("pk", filter=counted)
        over |= Q(**{f"count_{number}__gte": cap.most})
    sent = Reach.objects.filter(sent_at__gte=since, queued_at__gte=since - LONGEST_LIFE)
    sent = sent.exclude(importance=Importance.MUST).exclude(channel="inbox")
    many = sent.order_by().values("member_id").annotate(**counts).filter(over)
    return _keys(many.values_list("member_id", flat=True), is_once=True)


def estimate_campaign(
    campaign: Campaign,
    *,
    sight: AudienceSight | None = None,
    variants: VariantActs | None = None,
    at: dt.datetime | None = None,
) -> CampaignEstimate:
    """What one run comes to now. `member_count` is None when counting takes longer than a page waits."""
    try:
        sight = sight or sight_audience(campaign, variants=variants, at=at)
    except SegmentTooSlow:
        return CampaignEstimate(None)
    variants = acts_of(campaign) if variants is None else variants
    whole = sum(weight for weight, _acts in variants) or 1
    treated = sight.member_count - sight.control_count
    batches = {act.values["batch"] for _weight, acts in variants for act in acts if act.kind == "coupon"}
    costs = coupon_selectors.list_batch_costs(batches)
    # Rounded up for each variant: what it costs at most must not be more in the end.
    coupon_fen = sum(
        -(-treated * weight // whole) * costs.get(act.values["batch"], 0)
        for weight, acts in variants
        for act in acts
        if act.kind == "coupon"
    )
    texts = next((one.first_count for one in sight.channels if one.channel == "sms"), 0)
    text_fen = -(-texts * text_cost_at_most(topic=TOPIC, channels=["sms"]) // 100)
    return CampaignEstimate(sight.member_count, sight.control_count, coupon_fen, text_fen)
