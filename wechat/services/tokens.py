"""Access tokens and tickets: one current value per account in PostgreSQL, one refresher at a time.

The refresher holds a lease on the row, not a transaction: it fetches with nothing locked, and stores only
while the lease is still its own. Whoever comes second uses the old value while that lives, or waits a little.
Official pages: "get stable access token", "JS-SDK" appendix 1.
"""

import dataclasses
import datetime as dt
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.db.models import Case, F, Q, QuerySet, Value, When

from core import clock
from core.errors import NotFound
from core.outside import refuse_open_transaction
from wechat.client.errors import CONFIGURATION_TROUBLE, ApiError, TokenBusy, UnreadableAnswer, WeChatError
from wechat.client.gateway import GatewayClient
from wechat.models import AccessToken, Account
from wechat.models.account import TokenKind
from wechat.services.calls import journal_for

logger = logging.getLogger(__name__)

# stable_token hands out the same token until five minutes before its end: asking earlier gains nothing.
MARGIN: Final = dt.timedelta(seconds=300)
LEASE: Final = dt.timedelta(seconds=10)
# With one repeat on −1 a fetch ends inside the lease.
FETCH_TIMEOUT_S: Final = 4
FETCH_PATIENCE_S: Final = 1
WAIT_S: Final = 3.0
POLL_S: Final = 0.05
# WeChat ignores force_refresh within 30 s of the last and beyond 20 a day.
FORCE_EVERY: Final = dt.timedelta(seconds=30)
FORCE_PER_DAY: Final = 20
# How long a wrong secret or a closed whitelist is remembered before WeChat is asked again.
REFUSAL_LASTS: Final = dt.timedelta(seconds=60)
_REFUSED: Final = "refused:"
_PATHS: Final = {TokenKind.ACCESS: "/cgi-bin/stable_token", TokenKind.JSAPI: "/cgi-bin/ticket/getticket"}

Fetched = tuple[str, dt.datetime]


@dataclasses.dataclass(frozen=True, slots=True)
class AccountTokens:
    """The token source of one account's client."""

    account_id: int

    def get_token(self) -> str:
        return get_token(account_id=self.account_id)

    def renew_token(self, failed: str) -> str:
        return renew_token(account_id=self.account_id, failed=failed)

    def get_ticket(self) -> str:
        return get_ticket(account_id=self.account_id)


def get_token(*, account_id: int) -> str:
    """The account's access token, fetched by at most one process at a time.

    Raises ApiError for a refused fetch (a configuration error is remembered for a minute and not asked
    again), TransportError when WeChat is away, TokenBusy when another process does not finish within three
    seconds.
    """
    return _obtain(account_id, TokenKind.ACCESS, _fetch_token)


def get_ticket(*, account_id: int) -> str:
    """The account's jsapi_ticket, kept like the token. Raises like `get_token`."""
    return _obtain(account_id, TokenKind.JSAPI, _fetch_ticket)


def renew_token(*, account_id: int, failed: str) -> str:
    """A token after WeChat called `failed` dead (40001, 40014, 42001): somebody's newer one, or a fresh one.

    When WeChat hands the dead one out again it is forced to make another, within the limits of force_refresh;
    beyond them the dead one is returned and the repeated call will say so.
    """
    _invalidate_if_equal(account_id, TokenKind.ACCESS, failed)
    return get_token(account_id=account_id)


def forget_tokens(*, account_id: int) -> None:
    """Drop the account's tokens, tickets and remembered refusals; for when its AppID or secret was
    changed."""
    AccessToken.objects.filter(account_id=account_id).update(
        value="", expires_at=None, leased_until=None, lease_holder=""
    )


def _invalidate_if_equal(account_id: int, kind: TokenKind, failed: str) -> None:
    """End the stored value if it is the failed one. The race: another process may store a newer one
    meanwhile; it has another expiry, so the guarded update then hits nothing."""
    row = _row(account_id, kind)
    if row.value == failed and row.expires_at is not None:
        AccessToken.objects.filter(pk=row.pk, expires_at=row.expires_at).update(expires_at=None)


def _row(account_id: int, kind: TokenKind) -> AccessToken:
    row = AccessToken.objects.filter(account_id=account_id, kind=kind).first()
    if row is not None:
        return row
    if not Account.objects.filter(pk=account_id, is_active=True).exists():
        raise NotFound
    return AccessToken.objects.get_or_create(account_id=account_id, kind=kind)[0]


def _obtain(account_id: int, kind: TokenKind, fetch: Callable[[AccessToken, str], Fetched | None]) -> str:
    refuse_open_transaction()
    deadline = time.monotonic() + WAIT_S
    while True:
        row, now = _row(account_id, kind), clock.now()
        if row.expires_at is not None and row.expires_at - now > MARGIN:
            return row.value
        is_alive = row.expires_at is not None and row.expires_at > now
        if not is_alive:
            _raise_remembered_refusal(row, now)
        holder = _take_lease(row, now)
        if holder is not None:
            fetched = _fetch_under_lease(row, holder, fetch, fallback=row.value if is_alive else "")
            if fetched is not None:
                return fetched
        elif is_alive:
            return row.value
        if time.monotonic() > deadline:
            raise TokenBusy(_PATHS[kind])
        time.sleep(POLL_S)


def _take_lease(row: AccessToken, now: dt.datetime) -> str | None:
    """Become the refresher, unless somebody is, or has stored a newer value since the row was read."""
    unchanged = Q(expires_at=row.expires_at) if row.expires_at else Q(expires_at=None)
    holder = secrets.token_hex(16)
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    taken = AccessToken.objects.filter(unchanged & free, pk=row.pk).update(
        leased_until=now + LEASE, lease_holder=holder
    )
    return holder if taken else None


def _held(row: AccessToken, holder: str) -> QuerySet[AccessToken]:
    return AccessToken.objects.filter(pk=row.pk, lease_holder=holder)


def _fetch_under_lease(
    row: AccessToken, holder: str, fetch: Callable[[AccessToken, str], Fetched | None], *, fallback: str
) -> str | None:
    """Fetch and store; None when another refresher took the lease over meanwhile (its value counts).

    While the old value lives (`fallback`), a failed fetch costs nobody anything.
    """
    try:
        fetched = fetch(row, holder)
    except WeChatError as error:
        _note_failure(row, holder, error)
        if fallback:
            return fallback
        raise
    except BaseException:
        _held(row, holder).update(leased_until=None, lease_holder="")
        raise
    if fetched is None:  # the dead token came back and may not be forced out now
        _held(row, holder).update(leased_until=None, lease_holder="")
        return row.value
    value, expires_at = fetched
    stored = _held(row, holder).update(value=value, expires_at=expires_at, leased_until=None, lease_holder="")
    return value if stored else None


def _note_failure(row: AccessToken, holder: str, error: WeChatError) -> None:
    """Give the lease back; after a configuration error keep everybody from asking for a while."""
    extra = {"account_id": row.account_id, "kind": row.kind, "errcode": error.errcode, "rid": error.rid}
    if isinstance(error, ApiError) and error.errcode in CONFIGURATION_TROUBLE:
        logger.error("wechat.token_refused", extra=extra)
        _held(row, holder).update(
            leased_until=clock.now() + REFUSAL_LASTS, lease_holder=f"{_REFUSED}{error.errcode}"
        )
        return
    logger.warning("wechat.token_not_fetched", extra=extra)
    _held(row, holder).update(leased_until=None, lease_holder="")


def _raise_remembered_refusal(row: AccessToken, now: dt.datetime) -> None:
    if row.lease_holder.startswith(_REFUSED) and row.leased_until is not None and row.leased_until > now:
        errcode = int(row.lease_holder.removeprefix(_REFUSED))
        raise ApiError.of_answer(_PATHS[TokenKind(row.kind)], errcode, "refused a moment ago")


def _fetch_token(row: AccessToken, holder: str) -> Fetched | None:
    """A token; None when WeChat gives the one that was found dead and it may not be forced out now."""
    account = Account.objects.get(pk=row.account_id)
    client = GatewayClient(
        account.app_id,
        account.app_secret,
        journal=journal_for(account.pk),
        busy_patience_s=FETCH_PATIENCE_S,
        timeout_s=min(settings.WECHAT_TIMEOUT_S, FETCH_TIMEOUT_S),
    )
    value, expires_at = _ask(client.stable_token.fetch, TokenKind.ACCESS, "access_token")
    is_found_dead = row.expires_at is None and value == row.value
    if not is_found_dead:
        return value, expires_at
    if not _may_force(row, holder):
        return None
    logger.warning("wechat.token_forced", extra={"account_id": row.account_id})
    return _ask(lambda: client.stable_token.fetch(is_forced=True), TokenKind.ACCESS, "access_token")


def _may_force(row: AccessToken, holder: str) -> bool:
    """Take one of the day's forced refreshes, if there is one and the last is 30 s old."""
    now = clock.now()
    today = clock.business_day(now)
    rested = Q(forced_at=None) | Q(forced_at__lte=now - FORCE_EVERY)
    within_day = ~Q(forced_on=today) | Q(forced_count__lt=FORCE_PER_DAY)
    spent = (
        _held(row, holder)
        .filter(rested & within_day)
        .update(
            forced_at=now,
            forced_count=Case(When(forced_on=today, then=F("forced_count") + 1), default=Value(1)),
            forced_on=today,
        )
    )
    return spent == 1


def _fetch_ticket(row: AccessToken, _holder: str) -> Fetched | None:
    account = Account.objects.get(pk=row.account_id)
    client = GatewayClient(
        account.app_id,
        account.app_secret,
        tokens=AccountTokens(account.pk),
        journal=journal_for(account.pk),
        busy_patience_s=FETCH_PATIENCE_S,
        timeout_s=min(settings.WECHAT_TIMEOUT_S, FETCH_TIMEOUT_S),
    )
    return _ask(client.jsapi.get_ticket, TokenKind.JSAPI, "ticket")


def _ask(fetch: Callable[[], dict[str, Any]], kind: TokenKind, name: str) -> Fetched:
    """Call WeChat and read value and expiry, counted from before the call."""
    asked_at = clock.now()
    answer = fetch()
    value, lifetime_s = answer.get(name), answer.get("expires_in")
    if not isinstance(value, str) or not value or not isinstance(lifetime_s, int) or lifetime_s <= 0:
        raise UnreadableAnswer(_PATHS[kind], errmsg="no token in the answer")
    return value, asked_at + dt.timedelta(seconds=lifetime_s)
