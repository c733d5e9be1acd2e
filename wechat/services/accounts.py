"""Accounts, as the callback and the callers need them: unsealed once, cached briefly in each process."""

import dataclasses
import datetime as dt
import logging
import time
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.actor import Actor
from core.errors import NotFound
from wechat.contracts import AccountCard
from wechat.errors import NoAccount, NoPreviousKey
from wechat.models import Account
from wechat.models.account import AccountKind, PushMode
from wechat.services.deadline import run_bounded
from wechat.services.push_crypto import Keyring
from wechat.services.reply_book import RuleBook, load_book

logger = logging.getLogger(__name__)

# How long another process may work with the old token, key or rules after a change in admin.
CACHE_SECONDS: Final = 2.0
_CACHE_LIMIT: Final = 256


@dataclasses.dataclass(frozen=True, slots=True)
class Doorkeeper:
    """All that the callback needs of one account, secrets unsealed; stays inside this process."""

    account_id: int
    app_id: str
    original_id: str
    push_token: str = dataclasses.field(repr=False)
    push_mode: str
    keyring: Keyring = dataclasses.field(repr=False)
    book: RuleBook = dataclasses.field(repr=False)


_doorkeepers: dict[str, tuple[float, Doorkeeper | None]] = {}
# By account: the version under which the rules were compiled, and the book.
_books: dict[int, tuple[int, RuleBook]] = {}


def _card(account: Account) -> AccountCard:
    return AccountCard(
        id=account.pk,
        slug=account.slug,
        name=account.name,
        kind="official" if account.kind == AccountKind.OFFICIAL else "mini_program",
        app_id=account.app_id,
    )


def get_account(account_id: int) -> AccountCard:
    """Raises NotFound."""
    account = Account.objects.filter(pk=account_id).first()
    if account is None:
        raise NotFound
    return _card(account)


def list_officials() -> list[AccountCard]:
    """The active official accounts, the oldest first."""
    rows = Account.objects.filter(kind=AccountKind.OFFICIAL, is_active=True)
    return [_card(row) for row in rows.order_by("pk")]


def get_default_official() -> AccountCard:
    """The oldest active official account: codes and logins go through it. Raises NoAccount."""
    account = Account.objects.filter(kind=AccountKind.OFFICIAL, is_active=True).order_by("pk").first()
    if account is None:
        raise NoAccount
    return _card(account)


def get_default_mini_program() -> AccountCard:
    """The oldest active mini-program: members log in through it. Raises NoAccount."""
    account = Account.objects.filter(kind=AccountKind.MINI_PROGRAM, is_active=True).order_by("pk").first()
    if account is None:
        raise NoAccount(str(_("还没有可用的小程序，请先在后台「账号」里添加")))
    return _card(account)


def get_mini_program(app_id: str = "") -> AccountCard:
    """The active mini-program with that appid, the default one for an empty text. Raises NoAccount."""
    if not app_id:
        return get_default_mini_program()
    account = Account.objects.filter(kind=AccountKind.MINI_PROGRAM, is_active=True, app_id=app_id).first()
    if account is None:
        raise NoAccount(str(_("还没有可用的小程序，请先在后台「账号」里添加")))
    return _card(account)


def find_doorkeeper(slug: str, *, until: float) -> Doorkeeper | None:
    """The active account of a slug, from the process cache while fresh; None when there is none.

    `until` is on time.monotonic()'s clock. Raises a database error or DeadlinePassed.
    """
    cached = _doorkeepers.get(slug)
    moment = time.monotonic()
    if cached is not None and moment - cached[0] < CACHE_SECONDS:
        return cached[1]
    if cached is not None:
        # This thread reads; those that come meanwhile work with the copy instead of all reading at once.
        _doorkeepers[slug] = (moment, cached[1])
    doorkeeper = run_bounded(lambda wrapper: _load_doorkeeper(slug), until=until)
    if len(_doorkeepers) >= _CACHE_LIMIT:
        _doorkeepers.clear()
    _doorkeepers[slug] = (moment, doorkeeper)
    return doorkeeper


def _load_doorkeeper(slug: str) -> Doorkeeper | None:
    account = Account.objects.filter(slug=slug, is_active=True).first()
    if account is None:
        return None
    try:
        keyring = Keyring(account.app_id, (account.aes_key, account.previous_aes_key))
    except ValueError:
        logger.exception("wechat.bad_aes_key", extra={"account_id": account.pk})
        keyring = Keyring(account.app_id, ())
    return Doorkeeper(
        account_id=account.pk,
        app_id=account.app_id,
        original_id=account.original_id,
        push_token=account.push_token,
        push_mode=PushMode(account.push_mode).value,
        keyring=keyring,
        book=_book(account),
    )


def _book(account: Account) -> RuleBook:
    """The account's rules, compiled again only when their version moved. The version was read before the rules are, so
    rules newer than it are compiled once more at the next look, and older ones are never kept."""
    kept = _books.get(account.pk)
    if kept is not None and kept[0] == account.reply_version:
        return kept[1]
    book = load_book(account.pk, clock.now())
    _books[account.pk] = (account.reply_version, book)
    return book


def drop_previous_key(*, account_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The account's previous EncodingAESKey opens nothing any more. Refuses when there is none."""
    with transaction.atomic():
        account = Account.objects.lock(account_id)
        if not account.previous_aes_key:
            raise NoPreviousKey
        account.previous_aes_key = ""
        account.save(update_fields=["previous_aes_key"])
        audit.record(action="wechat.account.drop_key", subject=account, actor=actor, at=at)
    forget_cached()


def forget_cached() -> None:
    """Drop this process' copies, after a change in admin."""
    _doorkeepers.clear()
    _books.clear()
