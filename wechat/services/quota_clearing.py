"""Setting an account's daily counters back at WeChat, and asking WeChat for them. Official pages "clear quota" and "query API
call quota"."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Final, cast

from django.db import transaction

from core import audit, clock
from core.actor import Actor
from core.errors import NotFound
from wechat.client.errors import ApiError, WeChatError
from wechat.contracts import Channel
from wechat.errors import ClearsUsedUp
from wechat.models import Account, SendLane
from wechat.services import lanes
from wechat.services.clients import client_for
from wechat.services.failures import to_refusal
from wechat.services.verdicts import PREFIX

CLEARS_PER_MONTH: Final = 10
_NONE_LEFT: Final = 48006
_CLEARED: Final = "wechat.quota.clear"


@dataclasses.dataclass(frozen=True, slots=True)
class WeChatQuota:
    """One interface today, as WeChat counts it."""

    daily_limit: int
    used_count: int
    left_count: int


def count_clears(account_id: int, at: dt.datetime) -> int:
    """How often we had this account's counters set back in the Shanghai month; what was done in the console is not known
    here."""
    month_on = clock.business_day(at).replace(day=1)
    entries = audit.entries_about(subject=Account(pk=account_id)).filter(action=_CLEARED)
    return entries.filter(at__gte=clock.day_bounds(month_on)[0]).count()


def find_last_clear(account_id: int) -> dt.datetime | None:
    """When we last had them set back."""
    entries = audit.entries_about(subject=Account(pk=account_id)).filter(action=_CLEARED)
    return entries.values_list("at", flat=True).first()


def clear_quota(*, account_id: int, reason: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """WeChat counts this account's calls of today from 0 again, and channels that stopped for a spent quota send on.

    Not inside a transaction. Raises NotFound, ClearsUsedUp (we, or WeChat, counted ten this month), WeChatRefused,
    WeChatAway: then nobody knows, and a repeat costs another of the ten.
    """
    now = at or clock.now()
    if not Account.objects.filter(pk=account_id).exists():
        raise NotFound
    if count_clears(account_id, now) >= CLEARS_PER_MONTH:
        raise ClearsUsedUp
    try:
        client_for(account_id).quotas.clear()
    except WeChatError as error:
        if isinstance(error, ApiError) and error.errcode == _NONE_LEFT:
            raise ClearsUsedUp from error
        raise to_refusal(error) from error
    with transaction.atomic():
        account = Account.objects.lock(account_id)
        audit.record(action=_CLEARED, subject=account, actor=actor, at=now, reason=reason.strip()[:100])
        spent = SendLane.objects.filter(account_id=account_id, halt_code=f"{PREFIX}quota_spent")
        for channel in list(spent.filter(halted_at__isnull=False).values_list("channel", flat=True)):
            lanes.lift_halt(account_id=account_id, channel=cast(Channel, channel), actor=actor, at=now)


def ask_quotas(*, account_id: int, paths: Iterable[str]) -> Mapping[str, WeChatQuota]:
    """Limit and use of these interfaces as WeChat has them; one that it does not tell of is missing. A call each, which WeChat
    does not count. Not inside a transaction. Raises NotFound, WeChatAway, and WeChatRefused for an account that may not ask."""
    client = client_for(account_id)
    found: dict[str, WeChatQuota] = {}
    for path in paths:
        try:
            told = client.quotas.ask(path).get("quota")
        except WeChatError as error:
            if isinstance(error, ApiError) and error.errcode in _UNTOLD:
                continue
            raise to_refusal(error) from error
        if isinstance(told, dict):
            found[path] = WeChatQuota(
                int(told.get("daily_limit") or 0), int(told.get("used") or 0), int(told.get("remain") or 0)
            )
    return found


# A path that WeChat counts under another name, or not at all: invalid parameter.
_UNTOLD: Final = frozenset({40097, 76021})
