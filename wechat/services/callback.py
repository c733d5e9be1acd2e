"""The callback: verify, decrypt, store once, answer in time.

One function, two mounts (`wechat.views`): in front of Django's handler for speed, and as a normal view. It
holds WeChat's contract: an answer within 5 s, `success` (or a reply) only when the push is committed in our
database, one generic refusal for everything that cannot be trusted.
"""

import dataclasses
import datetime as dt
import hashlib
import json
import logging
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from core import clock
from core.events import dispatch_soon
from wechat.events import InboxFilled
from wechat.models.account import PushMode
from wechat.services import accounts, parsing
from wechat.services.accounts import Doorkeeper
from wechat.services.deadline import DeadlinePassed, run_bounded
from wechat.services.push_crypto import PushCipher, PushRefused, check_signature, signature_of
from wechat.services.reply_book import Ruled, occasion_of
from wechat.services.reply_contents import is_passive, render_json, render_xml

logger = logging.getLogger(__name__)

# WeChat waits 5 s. The database gets what is left of 4 s; the rest is for the way back. Reading the account must
# leave time for the insert: connecting, which only its own 3 s time-out ends, happens in one of the two.
BUDGET_S: Final = 4.0
_READ_BUDGET_S: Final = 1.5

_INSERT: Final = """
INSERT INTO wechat_inboundevent (account_id, dedupe_key, nonce_key, kind, openid, pushed_at, received_at,
                                 raw, state, attempt_count, lease_holder, failure, won_rule_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 0, '', %s, %s)
ON CONFLICT DO NOTHING
"""
# A rule that pauses for each person: it wins unless it answered her a short while ago. The rest as above.
_INSERT_PAUSING: Final = """
INSERT INTO wechat_inboundevent (account_id, dedupe_key, nonce_key, kind, openid, pushed_at, received_at,
                                 raw, state, attempt_count, lease_holder, failure, won_rule_id)
SELECT new.*, CASE WHEN EXISTS (
    SELECT FROM wechat_inboundevent told
    WHERE told.openid = new.openid AND told.account_id = new.account_id AND told.won_rule_id = %s
      AND told.pushed_at > new.pushed_at - make_interval(mins => %s) AND told.dedupe_key <> new.dedupe_key
  ) THEN NULL ELSE %s END
FROM (VALUES (%s::bigint, %s::varchar, %s::varchar, %s::varchar, %s::varchar, %s::timestamptz, %s::timestamptz,
              %s::text, %s::varchar, 0, '', %s::varchar))
  AS new (account_id, dedupe_key, nonce_key, kind, openid, pushed_at, received_at,
          raw, state, attempt_count, lease_holder, failure)
ON CONFLICT DO NOTHING
RETURNING won_rule_id
"""
_FIRST_ANSWER: Final = "SELECT won_rule_id FROM wechat_inboundevent WHERE dedupe_key = %s"


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


_SUCCESS: Final = Answer(200, b"success")
_REFUSED: Final = Answer(403, b"refused")
_UNAVAILABLE: Final = Answer(503, b"unavailable")


@dataclasses.dataclass(frozen=True, slots=True)
class _Opened:
    """A push that may be trusted as far as its mode allows."""

    raw: str
    push: parsing.ReadPush | None  # None: authentic, but unreadable
    cipher: PushCipher | None  # with which a reply must be sealed
    nonce_key: str | None


def answer(slug: str, method: str, query: Mapping[str, str], body: bytes | None) -> Answer:
    """Answer one request of WeChat. `body` is None when it was larger than MAX_BODY_BYTES. Never raises."""
    started = time.monotonic()
    try:
        doorkeeper = accounts.find_doorkeeper(slug, until=started + _READ_BUDGET_S)
        if doorkeeper is None:
            raise PushRefused("unknown_account")
        if method == "GET":
            return _verify_url(doorkeeper, query)
        if method != "POST" or body is None:
            raise PushRefused("oversized_body" if method == "POST" else "method")
        at = clock.now()
        opened = _open(doorkeeper, query, body, at)
        chosen = _choose(doorkeeper, opened)
        won = _store(doorkeeper, opened, chosen, at, started + BUDGET_S)
        dispatch_soon(InboxFilled())
        return _reply(doorkeeper, opened, won)
    except PushRefused as refusal:
        logger.warning("wechat.push_refused", extra={"account": slug[:40], "reason": refusal.reason})
        return _REFUSED
    except (DatabaseError, InterfaceError, psycopg.Error, DeadlinePassed) as error:
        # Not stored, so not acknowledged: WeChat comes again.
        connection.close()
        logger.error("wechat.push_not_stored", extra={"account": slug[:40], "error": type(error).__name__})
        return _UNAVAILABLE


def _verify_url(doorkeeper: Doorkeeper, query: Mapping[str, str]) -> Answer:
    """The echostr is plain text even in safe mode (official page: message push, URL verification)."""
    check_signature(
        query.get("signature", ""), doorkeeper.push_token, query.get("timestamp", ""), query.get("nonce", "")
    )
    return Answer(200, query.get("echostr", "").encode())


def _open(doorkeeper: Doorkeeper, query: Mapping[str, str], body: bytes, at: dt.datetime) -> _Opened:
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    _check_age(timestamp, at)
    is_encrypted = query.get("encrypt_type", "raw") == "aes"
    if not is_encrypted:
        if doorkeeper.push_mode != PushMode.PLAIN:
            # Compatible mode always carries an encrypted copy as well; without it this is a downgrade.
            raise PushRefused("downgrade_to_plain")
        check_signature(query.get("signature", ""), doorkeeper.push_token, timestamp, nonce)
        # In plain mode the signature does not cover the body; one triple may carry one body only.
        nonce_key = hashlib.sha256(f"{doorkeeper.app_id}\x1f{timestamp}\x1f{nonce}".encode()).hexdigest()
        raw = body.decode(errors="replace")
        return _Opened(raw, _read_or_none(doorkeeper, raw), None, nonce_key)
    envelope = _read_envelope(body)
    check_signature(query.get("msg_signature", ""), doorkeeper.push_token, timestamp, nonce, envelope)
    raw, cipher = doorkeeper.keyring.open(envelope)
    return _Opened(raw, _read_or_none(doorkeeper, raw), cipher, None)


def _check_age(timestamp: str, at: dt.datetime) -> None:
    try:
        age = abs(at.timestamp() - int(timestamp))
    except ValueError:
        raise PushRefused("bad_timestamp") from None
    if age > settings.WECHAT_PUSH_MAX_AGE_S:
        raise PushRefused("stale")


def _read_envelope(body: bytes) -> str:
    """The one `Encrypt` of the envelope. The plain copy of compatible mode is ignored: nothing covers it."""
    try:
        fields = parsing.read_fields(body.decode())
        encrypted = parsing.text_field(fields, "Encrypt")
    except (parsing.Unreadable, UnicodeDecodeError):
        raise PushRefused("bad_envelope") from None
    if not encrypted:
        raise PushRefused("no_encrypt")
    return encrypted


def _read_or_none(doorkeeper: Doorkeeper, raw: str) -> parsing.ReadPush | None:
    try:
        return parsing.read_push(doorkeeper.app_id, raw)
    except parsing.Unreadable as error:
        logger.warning(
            "wechat.push_unreadable", extra={"account_id": doorkeeper.account_id, "reason": str(error)}
        )
        return None


# Storing -------------------------------------------------------------------------------------------------


_kept: Final = threading.local()


def _choose(doorkeeper: Doorkeeper, opened: _Opened) -> Ruled | None:
    """The rule that answers. Judged at WeChat's own time of the push, so that a retry is judged alike."""
    if opened.push is None or not doorkeeper.book.rules:
        return None
    at = clock.from_unix(opened.push.pushed_at_unix)
    try:
        occasion = occasion_of(opened.push.fields, at)
    except parsing.Unreadable:  # a doubled Content, say: stored like any push, answered by nobody
        return None
    return None if occasion is None else doorkeeper.book.choose(occasion)


def _store(
    doorkeeper: Doorkeeper, opened: _Opened, chosen: Ruled | None, at: dt.datetime, until: float
) -> Ruled | None:
    """Commit the push under its dedupe key; the rule that answers it, which for a retry is the first push's.

    Raises a database error, DeadlinePassed or PushRefused.
    """
    row = _row(doorkeeper, opened, at)
    won_id = run_bounded(lambda wrapper: _insert(wrapper, row, chosen), until=until)
    if won_id is None or (chosen is not None and chosen.rule.pk == won_id):
        return chosen if won_id is not None else None
    return next((ruled for ruled in doorkeeper.book.rules if ruled.rule.pk == won_id), None)


def _insert(wrapper: Any, row: tuple[Any, ...], chosen: Ruled | None) -> int | None:
    """One round trip; the statement is prepared once a connection. The id of the rule that won."""
    cursor = _cursor(wrapper.connection)
    rule_id = None if chosen is None else chosen.rule.pk
    pause = 0 if chosen is None else chosen.rule.pause_minutes
    try:
        if pause:
            cursor.execute(_INSERT_PAUSING, (rule_id, pause, rule_id, *row), prepare=True)
            if cursor.rowcount == 1:
                return _only(cursor.fetchone())
        elif cursor.execute(_INSERT, (*row, rule_id), prepare=True).rowcount == 1:
            return rule_id
        # Stored before: WeChat's retry (same key), or in plain mode an old signature with a new body.
        first = cursor.execute(_FIRST_ANSWER, (row[1],)).fetchone()
        if first is None and row[2] is not None:
            raise PushRefused("replayed_nonce")
        return _only(first)
    finally:
        if not wrapper.in_atomic_block:
            wrapper.close_if_unusable_or_obsolete()


def _only(row: tuple[Any, ...] | None) -> int | None:
    return None if row is None or row[0] is None else int(row[0])


def _cursor(connection: "psycopg.Connection[Any]") -> "psycopg.Cursor[Any]":
    """The thread's own psycopg cursor, kept as long as its connection: making one costs as much as parsing."""
    cursor: psycopg.Cursor[Any] | None = getattr(_kept, "cursor", None)
    if cursor is None or cursor.connection is not connection:
        cursor = _kept.cursor = psycopg.Cursor(connection)
    return cursor


def _row(doorkeeper: Doorkeeper, opened: _Opened, at: dt.datetime) -> tuple[Any, ...]:
    push = opened.push
    raw = opened.raw.replace("\x00", "")  # PostgreSQL text cannot hold NUL
    if push is None:
        key = hashlib.sha256(f"{doorkeeper.app_id}\x1funreadable\x1f{opened.raw}".encode(errors="replace"))
        return (
            doorkeeper.account_id, key.hexdigest(), opened.nonce_key, "unreadable", "", None, at,
            raw, "unreadable", "unreadable",
        )  # fmt: skip
    return (
        doorkeeper.account_id,
        push.dedupe_key,
        opened.nonce_key,
        push.kind.replace("\x00", ""),
        push.openid[:64].replace("\x00", ""),
        clock.from_unix(push.pushed_at_unix),
        at,
        raw,
        "stored",
        "",
    )


# Replying ------------------------------------------------------------------------------------------------


def _reply(doorkeeper: Doorkeeper, opened: _Opened, won: Ruled | None) -> Answer:
    """The first part of the rule that won, where WeChat takes its kind here, or `success`. A retry gets the same answer
    as the first push; the inbox worker sends the other parts."""
    if opened.push is None or won is None or not is_passive(won.parts[0]):
        return _SUCCESS
    is_json = opened.raw.lstrip("\ufeff \t\r\n").startswith("{")
    head: dict[str, Any] = {
        "openid": opened.push.openid,
        "original_id": parsing.text_field(opened.push.fields, "ToUserName") or doorkeeper.original_id,
        "at_unix": int(clock.now().timestamp()),
    }
    if is_json:
        text = json.dumps(render_json(won.parts[0], **head), ensure_ascii=False)
    else:
        text = render_xml(won.parts[0], **head)
    if opened.cipher is not None:
        text = _seal(doorkeeper, opened.cipher, text, is_json=is_json)
    return Answer(200, text.encode(), "application/json" if is_json else "application/xml; charset=utf-8")


def _seal(doorkeeper: Doorkeeper, cipher: PushCipher, text: str, *, is_json: bool) -> str:
    """The encrypted envelope; its signature covers the timestamp and nonce we choose."""
    encrypted = cipher.seal(text)
    timestamp, nonce = str(int(clock.now().timestamp())), str(secrets.randbelow(10**9))
    signature = signature_of(doorkeeper.push_token, timestamp, nonce, encrypted)
    if is_json:
        return json.dumps(
            {"Encrypt": encrypted, "MsgSignature": signature, "TimeStamp": int(timestamp), "Nonce": nonce}
        )
    return (
        f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    )
