"""How many a mass message reaches, whom of a list it leaves out, and what of the month's four is used."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce

from campaigns.contracts import MassReach, MassUse
from campaigns.contracts import reaches as why
from campaigns.models import MassAudienceKind, MassMessage, MassPurpose, MassRecipient
from core import clock
from core.models import StaffAccount
from members import selectors as member_selectors
from wechat.contracts import FollowerTagCard
from wechat.services import follower_tags, followers, mass, quota
from wechat.services.accounts import get_account


def scope_mass_messages(staff: StaffAccount, messages: QuerySet[MassMessage]) -> QuerySet[MassMessage]:
    """Head office sees all; others those they wrote, which go to members of their own part."""
    return messages if staff.is_superuser else messages.filter(written_by_id=staff.pk)


def find_tag(message: MassMessage) -> FollowerTagCard | None:
    """The tag it goes to, as last synchronised; None when WeChat has it no more."""
    tags = follower_tags.list_follower_tags(account_id=message.account_id)
    return next((tag for tag in tags if tag.wechat_tag_id == message.tag_id), None)


def estimate_reach(message: MassMessage) -> MassReach:
    """How many it would reach now. WeChat's own filters (the month's four, her settings) are not in it."""
    if message.audience == MassAudienceKind.ALL:
        return MassReach(followers.count_following(account_id=message.account_id))
    if message.audience == MassAudienceKind.TAG:
        tag = find_tag(message)
        if tag is None:
            return MassReach(0, is_tag_gone=True)
        return MassReach(tag.follower_count, as_of=tag.synced_at)
    left_out = judge_list(message)
    openids = [openid for openid, code in left_out.items() if not code]
    reasons = Counter(code for code in left_out.values() if code)
    return MassReach(len(openids), dict(reasons), spent_count=_count_spent(message, openids))


def recipients_of(message: MassMessage) -> QuerySet[MassRecipient]:
    """Whom its list names, its parts' among them."""
    return MassRecipient.objects.filter(Q(message=message) | Q(message__whole=message))


def judge_list(message: MassMessage, *, known: Sequence[str] | None = None) -> dict[str, str]:
    """Why each openid of its list is left out now; "" for who gets it. `known`: of these only.

    In the order of the reasons: she was erased, she does not agree (purpose normal: she withdrew), she follows no more.
    """
    account = get_account(message.account_id)
    openids = list(recipients_of(message).order_by("pk").values_list("openid", flat=True))
    if known is not None:
        asked = set(known)
        openids = [openid for openid in openids if openid in asked]
    owners = member_selectors.list_openid_owners(openids, account.app_id)
    alive = set(member_selectors.living_member_ids().filter(pk__in=set(owners.values())))
    silent = _silent(message, alive)
    standings = followers.list_standings(account_id=account.id, openids=openids)

    def judge(openid: str) -> str:
        owner = owners.get(openid)
        if owner is None or owner not in alive:
            return why.MEMBER_GONE
        if owner in silent:
            return why.NO_CONSENT
        standing = standings.get(openid)
        return "" if standing is not None and standing.is_following else why.NOT_FOLLOWING

    return {openid: judge(openid) for openid in openids}


def count_left_out(message: MassMessage) -> dict[str, int]:
    """How many of its list did not get it, by reason."""
    left_out = recipients_of(message).exclude(left_out="").order_by()
    return dict(left_out.values_list("left_out").annotate(Count("pk")))


def _silent(message: MassMessage, member_ids: set[int]) -> set[int]:
    """Those of these who are left alone: of news of marketing who never agreed, of others who took it back."""
    said = member_selectors.list_last_words(member_ids)
    silence = message.purpose != MassPurpose.MARKETING
    return {member_id for member_id in member_ids if not said.get(member_id, silence)}


def get_mass_use(*, account_id: int, at: dt.datetime | None = None) -> MassUse:
    """What went out this calendar month, Shanghai time, and the calls of today."""
    at = at or clock.now()
    out = _of_month(account_id, at)
    counts: Mapping[str, int] = dict(
        out.order_by()
        .values_list("audience")
        .annotate(sent_count=Count(Coalesce("whole_id", "pk"), distinct=True))
    )
    calls = sum(
        line.call_count
        for line in quota.count_calls_by_day(clock.business_day(at))
        if line.account_id == account_id and line.path in (mass.ALL_PATH, mass.LIST_PATH)
    )
    return MassUse(
        all_count=counts.get("all", 0),
        tag_count=counts.get("tag", 0),
        list_count=counts.get("list", 0),
        calls_today=calls,
    )


def _of_month(account_id: int, at: dt.datetime) -> QuerySet[MassMessage]:
    first = clock.business_day(at).replace(day=1)
    begins, _ends = clock.day_bounds(first)
    return MassMessage.objects.gone_out().filter(account_id=account_id, first_tried_at__gte=begins)


def _count_spent(message: MassMessage, openids: Sequence[str]) -> int:
    """Who of these surely had four this month: those to everybody, and those whose list named her. Tags are not known."""
    out = _of_month(message.account_id, clock.now()).exclude(pk=message.pk)
    to_all = out.filter(audience=MassAudienceKind.ALL).count()
    if to_all >= mass.MOST_A_MONTH:
        return len(openids)
    got: QuerySet[MassRecipient, Any] = MassRecipient.objects.filter(
        message__in=out.values("pk"), left_out="", openid__in=list(openids)
    )
    spent = got.order_by().values("openid").annotate(n=Count("pk"))
    return spent.filter(n__gte=mass.MOST_A_MONTH - to_all).count()
