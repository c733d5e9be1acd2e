"""Publishing a version of the menus: one lease, many calls, and an honest word on how far it came."""

import dataclasses
import datetime as dt
import logging
import secrets
from typing import Final, Literal

from django.db import transaction

from core import audit, clock
from core.actor import Actor
from core.errors import NotFound
from core.models import changed_fields
from wechat.client.errors import ApiError, UnreadableAnswer, WeChatError
from wechat.client.gateway import GatewayClient
from wechat.errors import MenuSuperseded
from wechat.models import Account, MenuVersion
from wechat.models.menus import MenuState
from wechat.services.clients import client_for
from wechat.services.failures import to_refusal
from wechat.services.menu_leases import keep_lease, released, renew_lease, take_lease
from wechat.services.menus import find_draft, refuse_unfit

logger = logging.getLogger(__name__)

MOST_AT_WECHAT: Final = 20
NO_SUCH_MENU: Final = 65301


@dataclasses.dataclass(frozen=True, slots=True)
class MenuPublication:
    """How far publishing came. `published`: all of it. `partial`: WeChat has the default menu, but not all conditional ones
    are as they should be. `unclear`: nobody knows whether WeChat took the default menu. `errcode` is WeChat's, 0 when it
    said nothing."""

    state: Literal["published", "partial", "unclear"]
    added_count: int = 0
    removed_count: int = 0
    errcode: int | None = None


def publish_menu(*, version_id: int, actor: Actor, at: dt.datetime | None = None) -> MenuPublication:
    """WeChat has this version's menus and no conditional menu besides; what was published before is history.

    The default menu goes first, then the conditional ones from the last to the first, because WeChat tries the newest first,
    then those there were are removed. Doing it again mends what broke off. Not inside a transaction.
    Raises NotFound, MenuUnfit, MenuBusy while somebody is publishing, MenuSuperseded for history (restore it first),
    WeChatRefused or WeChatAway when WeChat surely did nothing: the version is then what it was.
    """
    version = MenuVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise NotFound
    client = client_for(version.account_id)
    refuse_unfit(version.buttons, version.conditionals)
    holder = secrets.token_hex(16)
    version, before = _begin(version, holder, actor, at or clock.now())
    with released(version.account_id, holder):
        try:
            renew_lease(version.account_id, holder)
            client.menu.create({"button": version.buttons})
        except WeChatError as error:
            if error.surely_not_done:
                _take_back(version, before, error)
                raise to_refusal(error) from error
            return _end(version, holder, actor, MenuPublication("unclear", errcode=error.errcode or 0))
        return _end(version, holder, actor, _replace_conditionals(client, version, holder))


def _begin(version: MenuVersion, holder: str, actor: Actor, now: dt.datetime) -> tuple[MenuVersion, str]:
    """Take the lease, and say before the first call that the outcome is unknown: a process that dies leaves the truth."""
    with transaction.atomic():
        Account.objects.lock(version.account_id)
        take_lease(version.account_id, holder, now)
        fresh = MenuVersion.objects.lock(version.pk)
        refuse_unfit(fresh.buttons, fresh.conditionals)
        before = fresh.state
        if before == MenuState.SUPERSEDED:
            raise MenuSuperseded
        fresh.state, fresh.published_at, fresh.published_by = MenuState.UNCLEAR, now, actor.label[:80]
        fresh.errcode = None
        fresh.save(update_fields=["state", "published_at", "published_by", "errcode"])
    return fresh, before


def _replace_conditionals(client: GatewayClient, version: MenuVersion, holder: str) -> MenuPublication:
    """Add ours, then remove those that were there; the other way round only where WeChat has no room for both."""
    added = removed = 0
    try:
        old = _conditional_ids(client, version, holder)
        is_crowded = len(old) + len(version.conditionals) > MOST_AT_WECHAT
        while is_crowded and old:
            _remove(client, version, holder, old.pop())
            removed += 1
        for one in reversed(version.conditionals):
            renew_lease(version.account_id, holder)
            menu = {"button": one["buttons"], "matchrule": {"tag_id": one["tag_id"]}}
            client.menu.add_conditional(menu)
            added += 1
        for menu_id in old:
            _remove(client, version, holder, menu_id)
            removed += 1
    except WeChatError as error:
        return MenuPublication("partial", added, removed, error.errcode or 0)
    return MenuPublication("published", added, removed)


def _conditional_ids(client: GatewayClient, version: MenuVersion, holder: str) -> list[str]:
    renew_lease(version.account_id, holder)
    listed = client.menu.get().get("conditionalmenu", [])
    if not isinstance(listed, list) or not all(isinstance(one, dict) and one.get("menuid") for one in listed):
        raise UnreadableAnswer("/cgi-bin/menu/get", errmsg="a conditional menu without an id")
    return [str(one["menuid"]) for one in listed]


def _remove(client: GatewayClient, version: MenuVersion, holder: str, menu_id: str) -> None:
    renew_lease(version.account_id, holder)
    try:
        client.menu.del_conditional(menu_id)
    except ApiError as error:
        if error.errcode != NO_SUCH_MENU:
            raise


def _end(version: MenuVersion, holder: str, actor: Actor, done: MenuPublication) -> MenuPublication:
    """Write how far it came, unless somebody else has taken over: then hers counts."""
    now = clock.now()
    with transaction.atomic():
        Account.objects.lock(version.account_id)
        keep_lease(version.account_id, holder)
        row = MenuVersion.objects.lock(version.pk)
        if done.state != "unclear":
            others = MenuVersion.objects.filter(account_id=row.account_id).in_use().exclude(pk=row.pk)
            others.update(state=MenuState.SUPERSEDED)
        row.save(update_fields=changed_fields(row, state=done.state, errcode=done.errcode))
        audit.record(
            action="wechat.menu.publish",
            subject=row,
            actor=actor,
            at=now,
            version=row.number,
            outcome=done.state,
        )
    if done.state != "published":
        extra = {"account_id": row.account_id, "state": done.state, "errcode": done.errcode}
        logger.warning("wechat.menu_not_published", extra=extra)
    return done


def _take_back(version: MenuVersion, before: str, error: WeChatError) -> None:
    """The version is what it was. A draft that somebody began meanwhile stays the draft, and this one goes to history."""
    with transaction.atomic():
        Account.objects.lock(version.account_id)
        row = MenuVersion.objects.lock(version.pk)
        if row.state != MenuState.UNCLEAR:
            return
        has_draft = before == MenuState.DRAFT and find_draft(row.account_id) is not None
        row.state = MenuState.SUPERSEDED if has_draft else before
        row.errcode = error.errcode or 0
        row.save(update_fields=["state", "errcode"])
