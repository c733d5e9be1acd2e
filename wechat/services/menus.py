"""Menus of an account: drafts, versions and going back to one."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from core import audit, clock
from core.actor import Actor
from core.errors import Conflict, NotFound
from core.models import changed_fields
from wechat.errors import MenuUnfit, NotAnOfficialAccount
from wechat.models import Account, MenuVersion
from wechat.models.account import AccountKind
from wechat.models.menus import MenuState
from wechat.services.menu_rules import clean_buttons, clean_conditionals, find_problems


def find_draft(account_id: int) -> MenuVersion | None:
    """The account's draft."""
    return MenuVersion.objects.filter(account_id=account_id, state=MenuState.DRAFT).first()


def find_newest_in_use(account_id: int) -> MenuVersion | None:
    """What members see, as far as we know."""
    return MenuVersion.objects.filter(account_id=account_id).in_use().order_by("-published_at", "-pk").first()


def save_menu_draft(
    *,
    account_id: int,
    buttons: Any,
    conditionals: Any = (),
    note: str = "",
    revision: int | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> MenuVersion:
    """The account's draft has these menus; it is made when there is none.

    `revision` is the draft's that was edited, 0 when there was none, None to overwrite whatever there is. Raises MenuUnfit
    with every problem in `details["problems"]`, Conflict when somebody saved meanwhile, NotFound, NotAnOfficialAccount.
    """
    buttons, conditionals = clean_buttons(buttons), clean_conditionals(list(conditionals))
    refuse_unfit(buttons, conditionals)
    now = at or clock.now()
    with transaction.atomic():
        account = lock_official(account_id)
        draft = find_draft(account_id)
        if revision is not None and revision != (draft.revision if draft else 0):
            raise Conflict
        values = {
            "buttons": buttons,
            "conditionals": conditionals,
            "note": note.strip()[:100],
            "saved_at": now,
            "saved_by": actor.label[:80],
            "errcode": None,
        }
        if draft is None:
            number = _next_number(account_id)
            draft = MenuVersion.objects.create(account=account, number=number, **values)
        else:
            draft.save(update_fields=changed_fields(draft, revision=draft.revision + 1, **values))
        audit.record(action="wechat.menu.draft", subject=draft, actor=actor, at=now, version=draft.number)
    return draft


def restore_version(*, version_id: int, actor: Actor, at: dt.datetime | None = None) -> MenuVersion:
    """The account's draft is a copy of an earlier version; a draft there was is overwritten. Raises NotFound; MenuUnfit when
    WeChat's limits have become narrower since."""
    source = MenuVersion.objects.filter(pk=version_id).first()
    if source is None:
        raise NotFound
    if source.state == MenuState.DRAFT:
        return source
    now = at or clock.now()
    with transaction.atomic():
        draft = save_menu_draft(
            account_id=source.account_id,
            buttons=source.buttons,
            conditionals=source.conditionals,
            note=source.note,
            actor=actor,
            at=now,
        )
        audit.record(
            action="wechat.menu.restore",
            subject=draft,
            actor=actor,
            at=now,
            version=draft.number,
            from_version=source.number,
        )
    return draft


def refuse_unfit(buttons: Sequence[dict[str, Any]], conditionals: Sequence[dict[str, Any]]) -> None:
    """Raises MenuUnfit for what WeChat would refuse in cleaned menus."""
    problems = find_problems(buttons, conditionals)
    if problems:
        raise MenuUnfit(problems[0].message, problems=[problem.as_details() for problem in problems])


def lock_official(account_id: int) -> Account:
    """The account's row, locked. Raises NotFound, NotAnOfficialAccount."""
    account = Account.objects.lock(account_id)
    if account.kind != AccountKind.OFFICIAL:
        raise NotAnOfficialAccount
    return account


def _next_number(account_id: int) -> int:
    """Under the account's lock."""
    newest = MenuVersion.objects.filter(account_id=account_id).aggregate(newest=Max("number"))["newest"]
    return (newest or 0) + 1
