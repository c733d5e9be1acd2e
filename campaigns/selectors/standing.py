"""Everything that decides over which channel a handful of reaches can go, read at once."""

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from django.db.models import QuerySet

from campaigns.contracts import TopicTerms
from campaigns.contracts.topics import FOLLOW_UP, SMS
from campaigns.models import MappingKind, ReachBar, SubscriptionGrant, TopicTemplate, TopicText
from campaigns.selectors.policy import Policy, get_policy, list_topic_terms
from campaigns.selectors.tally import Tally, count_sent
from campaigns.selectors.text_standing import TextStanding, read_text_standing
from core import clock
from core.compiled import Given, compiled, ids_of, texts_of
from guides import selectors as guide_selectors
from members import selectors as member_selectors
from wechat.contracts import AccountCard, FollowerStanding, TemplateCard
from wechat.errors import NoAccount
from wechat.services import accounts, followers, templates

# Who wrote, scanned or tapped so lately is up, whatever the hour.
_UP_FOR: Final = dt.timedelta(minutes=10)

# What was read longer ago is read again.
_TRUSTED_FOR: Final = dt.timedelta(seconds=5)

GrantKey = tuple[int, str, str]  # account, openid, template


@dataclasses.dataclass(slots=True)
class Standing:
    """What is known of these members at one moment, by the id of the living row. `grants` and `tally` are counted down
    and up while reaches are decided on."""

    at: dt.datetime
    policy: Policy
    terms: Mapping[str, TopicTerms]
    living: Mapping[int, int]
    withdrawn: Collection[int]
    agreed: Collection[int]
    official: AccountCard | None
    mini: AccountCard | None
    openids: Mapping[int, list[str]]
    mini_openids: Mapping[int, list[str]]
    followers: Mapping[str, FollowerStanding]
    barred: Collection[tuple[int, int]]
    mappings: Mapping[tuple[str, str, int], TopicTemplate]
    templates: Mapping[tuple[int, str], TemplateCard]
    grants: dict[GrantKey, int]
    guides: Mapping[int, int]
    names: Mapping[int, str]
    tally: Tally
    texts: TextStanding

    def is_up(self, member_id: int, at: dt.datetime) -> bool:
        """Whether she has to do with the official account this moment, so that its news wakes nobody."""
        return any(
            standing.acted_at is not None and at - _UP_FOR <= standing.acted_at <= at
            for openid in self.openids.get(member_id, ())
            if (standing := self.followers.get(openid)) is not None
        )

    def is_stale(self, now: dt.datetime) -> bool:
        """Whether to look again before anything more is sent by it: seconds have passed, or quiet hours have begun or
        ended."""
        if not dt.timedelta() <= now - self.at <= _TRUSTED_FOR:
            return True
        quiet = self.policy.quiet
        return quiet is not None and quiet.end_of(now) != quiet.end_of(self.at)


def read_standing(
    member_ids: Iterable[int], *, channels: Collection[str], importances: Collection[str], at: dt.datetime
) -> Standing:
    """How things stand with these members now, as far as reaches of these importances over these channels ask; some fifteen
    queries, however many they are."""
    living = member_selectors.list_living_targets(member_ids)
    alive = set(living.values())
    official, mini = default_accounts()
    openids = {} if official is None else member_selectors.list_openids(alive, official.app_id)
    mini_openids = {} if mini is None else member_selectors.list_openids(alive, mini.app_id)
    standings = _followers(official, openids)
    is_all_must = set(importances) == {"must"}
    last_words = {} if is_all_must else member_selectors.list_last_words(alive)
    mappings = {
        (row.topic, row.kind, row.account_id): row for row in TopicTemplate.objects.filter(is_on=True)
    }
    texts = read_text_standing(alive, at=at) if SMS in channels else TextStanding()
    return Standing(
        at=clock.now(),
        policy=get_policy(),
        terms=list_topic_terms(),
        living=living,
        withdrawn={member_id for member_id, agrees in last_words.items() if not agrees},
        agreed={member_id for member_id, agrees in last_words.items() if agrees},
        official=official,
        mini=mini,
        openids=openids,
        mini_openids=mini_openids,
        followers=standings,
        barred=_barred(alive, openids, standings),
        mappings=mappings,
        templates={(card.account_id, card.template_id): card for card in templates.list_templates()},
        grants=_grants(mini, mini_openids),
        guides=guide_selectors.list_bound_guides(alive) if FOLLOW_UP in channels else {},
        names=_names(alive) if _tell_name([*mappings.values(), *texts.mappings.values()]) else {},
        tally=Tally() if is_all_must else count_sent(alive, at=at),
        texts=texts,
    )


def _names(member_ids: Iterable[int]) -> dict[int, str]:
    cards = member_selectors.list_member_cards(member_ids)
    return {member_id: card.display_name for member_id, card in cards.items()}


def _tell_name(mappings: Iterable[TopicTemplate | TopicText]) -> bool:
    return any(source.get("value") == "member" for row in mappings for source in row.fields.values())


def default_accounts() -> tuple[AccountCard | None, AccountCard | None]:
    """The official account and the mini-program through which members are reached."""
    official = mini = None
    with contextlib.suppress(NoAccount):
        official = accounts.get_default_official()
    with contextlib.suppress(NoAccount):
        mini = accounts.get_default_mini_program()
    return official, mini


def _followers(official: AccountCard | None, openids: Mapping[int, list[str]]) -> dict[str, FollowerStanding]:
    every = [openid for hers in openids.values() for openid in hers]
    if official is None or not every:
        return {}
    return followers.list_standings(account_id=official.id, openids=every)


def _barred(
    member_ids: Collection[int], openids: Mapping[int, list[str]], standings: Mapping[str, FollowerStanding]
) -> set[tuple[int, int]]:
    """Bars that still hold: since then she neither followed anew nor wrote."""
    return {
        (member_id, account_id)
        for member_id, account_id, barred_at in _bars(member_ids=list(member_ids))
        if not any(
            _acted_since(standings[openid], barred_at)
            for openid in openids.get(member_id, ())
            if openid in standings
        )
    }


@compiled
def _bars(*, member_ids: Given) -> QuerySet[ReachBar, tuple[int, int, dt.datetime]]:
    rows = ReachBar.objects.filter(member_id__in=ids_of(member_ids))
    return rows.values_list("member_id", "account_id", "barred_at")


def _acted_since(standing: FollowerStanding, moment: dt.datetime) -> bool:
    return any(
        happened is not None and happened > moment for happened in (standing.followed_at, standing.acted_at)
    )


def _grants(account: AccountCard | None, openids: Mapping[int, list[str]]) -> dict[GrantKey, int]:
    every = [openid for hers in openids.values() for openid in hers]
    if account is None or not every:
        return {}
    return {
        (account.id, openid, template): count
        for openid, template, count in _left(account_id=account.id, openids=every)
    }


@compiled
def _left(*, account_id: Given, openids: Given) -> QuerySet[SubscriptionGrant, tuple[str, str, int]]:
    rows = SubscriptionGrant.objects.filter(account_id=account_id, openid__in=texts_of(openids), count__gt=0)
    return rows.values_list("openid", "template_id", "count")


SUBSCRIPTION_MAPPING: Final = MappingKind.SUBSCRIPTION.value
TEMPLATE_MAPPING: Final = MappingKind.TEMPLATE.value
