"""Whom a campaign would reach, counted by one statement, against a count by hand over generated members."""

import dataclasses
import datetime as dt
import itertools
import random
from collections.abc import Sequence
from typing import Any, Final

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.contracts.campaigns import AudienceSight, ChannelSight
from campaigns.models import (
    Campaign,
    FrequencyCap,
    Reach,
    ReachBar,
    SubscriptionGrant,
    TopicTemplate,
    TopicText,
)
from campaigns.selectors.campaigns import sight_audience
from core import clock
from guides.models import Binding, Guide
from members import services as member_services
from members.models import ConsentEntry, ConsentText, Member, MemberIdentity
from tests.campaigns.kit import MINI_APP, SUBSCRIPTION_ID, TEMPLATE_ID
from tests.campaigns.run_kit import listed, make_campaign
from tests.campaigns.text_kit import Desk
from tests.cast import APP_ID, DIRECTOR
from tests.coupons.kit import make_members

DAY: Final = dt.timedelta(days=1)
CHANNELS: Final = ("subscription", "template", "service_message", "sms", "follow_up", "inbox")
_numbers = itertools.count(1)


def follower_model() -> Any:
    return apps.get_model("wechat", "Follower")


@dataclasses.dataclass
class People:
    """Members with everything that decides whether they are written to, each drawn by lot."""

    desk: Desk
    luck: random.Random
    now: dt.datetime

    def make(self, count: int) -> list[int]:
        ids = make_members(count)
        member_services.merge_members(
            first_id=ids[0], second_id=ids[1], survivor_id=ids[1], actor=DIRECTOR, at=self.now
        )
        member_services.erase_member(member_id=ids[2], reason="own_wish", actor=DIRECTOR, at=self.now)
        for pk in ids:
            self._says(pk)
            self._is_bound(pk)
            self._is_known(pk)
            self._was_told(pk)
        return ids

    def _says(self, pk: int) -> None:
        """Up to four words, some in the same instant: the later row counts then."""
        for _word in range(self.luck.randrange(5)):
            text = self.luck.choice(list(ConsentText.objects.filter(kind__code__in=["marketing", "charter"])))
            ConsentEntry.objects.create(
                member_id=pk, kind=text.kind, text=text, door="pos", actor="", text_digest="",
                action=self.luck.choice(["agreed", "agreed", "withdrawn"]),
                at=self.now - self.luck.randrange(3) * DAY,
            )  # fmt: skip

    def _is_bound(self, pk: int) -> None:
        cast = self.desk.world.cast
        lives: list[list[dt.datetime | None]] = [[], [None], [self.now], [self.now, None]]
        for ended_at in self.luck.choice(lives):
            guide = Guide.objects.get(pk=self.luck.choice([cast.lina.id, cast.chenjing.id]))
            Binding.objects.create(
                member_id=pk, guide=guide, store_id=guide.store_id, bound_at=self.now - DAY, ended_at=ended_at,
                source="staff",
            )  # fmt: skip

    def _is_known(self, pk: int) -> None:
        for _phone in range(self.luck.randrange(3)):
            self._identity(pk, "phone", "", f"phone-{next(_numbers)}")
        for _account in range(self.luck.randrange(3)):
            openid = f"official-{next(_numbers)}"
            self._identity(pk, "openid", APP_ID, openid)
            follower_model().objects.create(
                account_id=self.desk.world.cast.account_id, openid=openid,
                is_following=self.luck.random() < 0.6, followed_at=self.now - DAY,
                window_until=self.luck.choice([None, self.now - DAY, self.now + DAY]),
            )  # fmt: skip
        for _account in range(self.luck.randrange(3)):
            openid = f"mini-{next(_numbers)}"
            self._identity(pk, "mini_openid", MINI_APP, openid)
            SubscriptionGrant.objects.create(
                account_id=self.desk.world.mini_id, openid=openid, template_id=SUBSCRIPTION_ID,
                count=self.luck.randrange(3),
            )  # fmt: skip
        if self.luck.random() < 0.3:
            ReachBar.objects.create(
                member_id=pk, account_id=self.desk.world.cast.account_id, code="43004", barred_at=self.now
            )

    def _identity(self, pk: int, kind: str, app_id: str, value: str) -> None:
        given = ["pos"] if kind == "phone" else []
        MemberIdentity.objects.create(
            member_id=pk, kind=kind, app_id=app_id, value=value, linked_at=self.now, given_through=given
        )

    def _was_told(self, pk: int) -> None:
        for _reach in range(self.luck.randrange(5)):
            sent_at = self.now - self.luck.choice([0, 0, 0, 1, 5, 6, 7]) * DAY
            Reach.objects.create(
                reason_key=f"told:{next(_numbers)}", member_id=pk, topic="sale", content="", channels="sms",
                importance=self.luck.choice(["must", "normal", "marketing", "marketing"]), state="sent",
                channel=self.luck.choice(["sms", "inbox", "template"]), queued_at=sent_at, not_before=sent_at,
                expires_at=sent_at + DAY, sent_at=sent_at, finished_at=sent_at,
            )  # fmt: skip


def by_hand(
    campaign: Campaign, ids: Sequence[int], channels: Sequence[str], at: dt.datetime
) -> AudienceSight:
    """The same, one member after the other."""
    living = Member.objects.filter(pk__in=ids, merged_into=None).exclude(stage="erased").order_by("pk")
    all_count, agreed, capped, guided = 0, 0, 0, 0
    could, first = dict.fromkeys(channels, 0), dict.fromkeys(channels, 0)
    for member in living:
        all_count += 1
        guided += _has_guide(member.pk)
        if not _agrees(member.pk):
            continue
        agreed += 1
        if _had_enough(member.pk, at):
            capped += 1
            continue
        open_to_her = [channel for channel in channels if _takes(member.pk, channel, at)]
        for channel in open_to_her:
            could[channel] += 1
        for channel in open_to_her[:1]:
            first[channel] += 1
    return AudienceSight(
        member_count=all_count,
        control_count=all_count * campaign.holdout_bp // 10_000,
        agreed_count=agreed,
        capped_count=capped,
        guided_count=guided,
        channels=tuple(ChannelSight(channel, could[channel], first[channel]) for channel in channels),
        reached_count=sum(first.values()),
    )


def _agrees(pk: int) -> bool:
    said = list(ConsentEntry.objects.filter(member_id=pk, kind__code="marketing"))
    return bool(said) and max(said, key=lambda one: (one.at, one.pk)).action == "agreed"


def _has_guide(pk: int) -> bool:
    return any(one.guide.state == "active" for one in Binding.objects.filter(member_id=pk, ended_at=None))


def _had_enough(pk: int, at: dt.datetime) -> bool:
    today = clock.business_day(at)
    for cap in FrequencyCap.objects.all():
        if cap.channel or cap.importance not in {"", "marketing"}:
            continue
        first_day = today if cap.span == "day" else today - 6 * DAY
        had = [
            row
            for row in Reach.objects.filter(member_id=pk)
            if row.sent_at is not None
            and clock.business_day(row.sent_at) >= first_day
            and row.importance != "must"
            and row.channel != "inbox"
            and cap.importance in {"", row.importance}
        ]
        if len(had) >= cap.most:
            return True
    return False


def _takes(pk: int, channel: str, at: dt.datetime) -> bool:
    identities = list(MemberIdentity.objects.filter(member_id=pk))
    openids = {one.value for one in identities if one.app_id in {APP_ID, MINI_APP}}
    hers = follower_model().objects.filter(openid__in=openids)
    mapped = TopicTemplate.objects.filter(topic="marketing", is_on=True)
    answers = {
        "subscription": mapped.filter(kind="subscription").exists()
        and SubscriptionGrant.objects.filter(openid__in=openids, count__gt=0).exists(),
        "template": mapped.filter(kind="template").exists()
        and hers.filter(is_following=True).exists()
        and not ReachBar.objects.filter(member_id=pk).exists(),
        "service_message": hers.filter(window_until__gt=at).exists(),
        "sms": TopicText.objects.filter(topic="marketing", is_on=True).exists()
        and any(one.kind == "phone" for one in identities),
        "follow_up": _has_guide(pk),
        "inbox": any(one.app_id == MINI_APP for one in identities),
    }
    return bool(answers[channel])


def set_chain(luck: random.Random, desk: Desk) -> None:
    """What the chain decided: caps, templates that say marketing, whether texts do."""
    FrequencyCap.objects.all().delete()
    for channel, importance, span, most in (
        ("", "", "day", 2),
        ("", "marketing", "day", 1),
        ("", "", "week", 4),
        ("", "marketing", "week", 2),
        ("", "normal", "day", 1),
        ("sms", "", "day", 1),
    ):
        if luck.random() < 0.5:
            FrequencyCap.objects.create(
                policy_id=1, channel=channel, importance=importance, span=span, most=most
            )
    desk.world.map_topic("marketing")
    for kind in ("template", "subscription"):
        if luck.random() < 0.25:
            TopicTemplate.objects.filter(kind=kind).update(is_on=False)
    TopicText.objects.filter(topic="marketing").update(is_on=luck.random() < 0.75)


@pytest.mark.parametrize("seed", range(8))
def test_the_statement_counts_what_a_count_by_hand_does(texted: Desk, seed: int) -> None:
    luck, now = random.Random(seed), clock.now()
    set_chain(luck, texted)
    Guide.objects.filter(pk=texted.world.cast.chenjing.id).update(state="left", left_on=clock.today())
    ids = People(texted, luck, now).make(40)
    asked = luck.sample(ids, 35)
    for channels in (list(CHANNELS), sorted(luck.sample(CHANNELS, 3), key=CHANNELS.index), ["inbox"]):
        act = {"do": "reach", "with": {"title": "上新", "text": "来看看", "channels": channels}}
        campaign = make_campaign(listed(asked), [[act]], holdout_bp=1_000, state="draft", next_run_at=None)
        sight = sight_audience(campaign, at=now)
        assert sight == by_hand(campaign, asked, channels, now)
    assert {TEMPLATE_ID, SUBSCRIPTION_ID} == set(TopicTemplate.objects.values_list("template_id", flat=True))


def test_the_page_asks_each_table_once_however_many_caps_and_channels_there_are(texted: Desk) -> None:
    """What is asked twice is joined once, and what was sent is read once for all caps."""
    FrequencyCap.objects.all().delete()
    for importance, span in itertools.product(("", "marketing"), ("day", "week")):
        FrequencyCap.objects.create(policy_id=1, importance=importance, span=span, most=2)
    act = {"do": "reach", "with": {"title": "上新", "text": "来看看", "channels": ["follow_up"]}}
    campaign = make_campaign(listed(make_members(3)), [[act]])
    with CaptureQueriesContext(connection) as seen:
        sight_audience(campaign)
    [counting] = [one["sql"] for one in seen.captured_queries if one["sql"].startswith("WITH wanted")]
    for table in ("members_consententry", "campaigns_reach", "guides_binding"):
        assert counting.count(f'FROM "{table}"') + counting.count(f"FROM {table} ") == 1, table
    assert "DISTINCT *" not in counting
