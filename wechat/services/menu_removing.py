"""Removing an account's menu at WeChat, and seeing the one that a follower has. Official pages "delete menu" and "conditional
menus"."""

import datetime as dt
import secrets
from typing import Any, Literal

from django.db import transaction

from core import audit, clock
from core.actor import Actor
from wechat.client.errors import UnreadableAnswer, WeChatError
from wechat.models import Account, MenuVersion
from wechat.models.menus import MenuState
from wechat.services.clients import client_for
from wechat.services.failures import to_refusal
from wechat.services.menu_leases import keep_lease, released, renew_lease, take_lease
from wechat.services.menu_rules import clean_buttons
from wechat.services.menus import lock_official


def remove_menu(
    *, account_id: int, reason: str, actor: Actor, at: dt.datetime | None = None
) -> Literal["removed", "unclear"]:
    """Nobody sees a menu any more, conditional ones included; what was published is history and can be restored.

    `unclear`: nobody knows whether WeChat did it; doing it again does no harm. Not inside a transaction. Raises NotFound,
    NotAnOfficialAccount, MenuBusy while somebody is publishing, WeChatRefused or WeChatAway when WeChat surely did nothing:
    all is then as it was.
    """
    client = client_for(account_id)
    holder = secrets.token_hex(16)
    before = _begin(account_id, holder, at or clock.now())
    with released(account_id, holder):
        try:
            renew_lease(account_id, holder)
            client.menu.delete()
        except WeChatError as error:
            if error.surely_not_done:
                _end(account_id, holder, before)
                raise to_refusal(error) from error
            _end(account_id, holder, {}, reason=reason, outcome="unclear", actor=actor)
            return "unclear"
        states: dict[int, str] = dict.fromkeys(before, MenuState.SUPERSEDED)
        _end(account_id, holder, states, reason=reason, outcome="removed", actor=actor)
    return "removed"


def find_menu_of(*, account_id: int, openid: str) -> list[dict[str, Any]]:
    """The buttons that this follower sees, as WeChat tells now. Raises NotFound; WeChatAway, or WeChatRefused: it knows no
    such follower, or there is no menu. Not inside a transaction."""
    try:
        answer = client_for(account_id).menu.try_match(openid)
    except WeChatError as error:
        raise to_refusal(error) from error
    buttons = answer.get("button")
    if not isinstance(buttons, list):
        broken = UnreadableAnswer("/cgi-bin/menu/trymatch", errmsg="no buttons")
        raise to_refusal(broken) from broken
    return clean_buttons(buttons)


def _begin(account_id: int, holder: str, now: dt.datetime) -> dict[int, str]:
    """Take the lease, and say before the call that nobody knows what members see; the states of before."""
    with transaction.atomic():
        lock_official(account_id)
        take_lease(account_id, holder, now)
        shown = MenuVersion.objects.filter(account_id=account_id).in_use()
        before = dict(shown.values_list("pk", "state"))
        shown.update(state=MenuState.UNCLEAR)
    return before


def _end(
    account_id: int,
    holder: str,
    states: dict[int, str],
    *,
    reason: str = "",
    outcome: str = "",
    actor: Actor | None = None,
) -> None:
    """Write what is known now, unless somebody else has taken over: then hers counts."""
    with transaction.atomic():
        account = Account.objects.lock(account_id)
        keep_lease(account_id, holder)
        for version_id, state in states.items():
            MenuVersion.objects.filter(pk=version_id, state=MenuState.UNCLEAR).update(state=state)
        if actor is not None:
            audit.record(
                action="wechat.menu.remove",
                subject=account,
                actor=actor,
                at=clock.now(),
                reason=reason.strip()[:100],
                outcome=outcome,
            )
