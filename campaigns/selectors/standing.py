"""Everything that decides over which channel a handful of reaches can go, read at once."""

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from campaigns.contracts import TopicTerms
from campaigns.models import MappingKind, ReachBar, SubscriptionGrant, TopicTemplate
from campaigns.selectors.policy import Policy, get_policy, list_topic_terms
from campaigns.selectors.tally import Tally, count_sent
from guides import selectors as guide_selectors
from members import selectors as member_selectors
from wechat.contracts import AccountCard, FollowerStanding, TemplateCard
from wechat.errors import NoAccount
from wechat.services import accounts, followers, templates

# Who wrote, scanned or tapped so lately is up, whatever the hour.
_UP_FOR: Final = dt.timedelta(minutes=10)

GrantKey = tuple[int, str, str]  # account, openid, template


@dataclasses.dataclass(slots=True)
class Standing:
    """What is known of these members at one moment, by the id of the living row. `grants` and `tally` are counted down
    and up while reaches of the same handful are decided on."""

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

    def is_up(self, member_id: int, at: dt.datetime) -> bool:
        """Whether she has to do with the official account this moment, so that its news wakes nobody."""
        return any(
            standing.acted_at is not None and at - _UP_FOR <= standing.acted_at <= at
            for openid in self.openids.get(member_id, ())
            if (standing := self.followers.get(openid)) is not None
        )


def read_standing(member_ids: Iterable[int], *, at: dt.datetime) -> Standing:
    """How things stand with these members now; some fifteen queries, however many they are."""
    asked = set(member_ids)
    targets = member_selectors.list_merge_targets(asked)
    alive = set(member_selectors.living_member_ids().filter(pk__in=set(targets.values())))
    living = {asked_id: target for asked_id, target in targets.items() if target in alive}
    official, mini = _accounts()
    openids = {} if official is None else member_selectors.list_openids(alive, official.app_id)
    mini_openids = {} if mini is None else member_selectors.list_openids(alive, mini.app_id)
    standings = _followers(official, openids)
    cards = member_selectors.list_member_cards(alive)
    return Standing(
        policy=get_policy(),
        terms=list_topic_terms(),
        living=living,
        withdrawn=member_selectors.withdrawn_among(alive),
        agreed=member_selectors.agreed_among(alive),
        official=official,
        mini=mini,
        openids=openids,
        mini_openids=mini_openids,
        followers=standings,
        barred=_barred(alive, openids, standings),
        mappings={
            (row.topic, row.kind, row.account_id): row for row in TopicTemplate.objects.filter(is_on=True)
        },
        templates={(card.account_id, card.template_id): card for card in templates.list_templates()},
        grants=_grants(official, openids) | _grants(mini, mini_openids),
        guides=guide_selectors.list_bound_guides(alive),
        names={member_id: card.display_name for member_id, card in cards.items()},
        tally=count_sent(alive, at=at),
    )


def _accounts() -> tuple[AccountCard | None, AccountCard | None]:
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
    bars = ReachBar.objects.filter(member_id__in=member_ids)
    return {
        (bar.member_id, bar.account_id)
        for bar in bars
        if not any(
            _acted_since(standings[openid], bar.barred_at)
            for openid in openids.get(bar.member_id, ())
            if openid in standings
        )
    }


def _acted_since(standing: FollowerStanding, moment: dt.datetime) -> bool:
    return any(
        happened is not None and happened > moment for happened in (standing.followed_at, standing.acted_at)
    )


def _grants(account: AccountCard | None, openids: Mapping[int, list[str]]) -> dict[GrantKey, int]:
    every = [openid for hers in openids.values() for openid in hers]
    if account is None or not every:
        return {}
    rows = SubscriptionGrant.objects.filter(account_id=account.id, openid__in=every, count__gt=0)
    return {
        (account.id, openid, template): count
        for openid, template, count in rows.values_list("openid", "template_id", "count")
    }


SUBSCRIPTION_MAPPING: Final = MappingKind.SUBSCRIPTION.value
TEMPLATE_MAPPING: Final = MappingKind.TEMPLATE.value
