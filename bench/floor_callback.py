"""The floor of bench/callback: a bare WSGI app with wechatpy and one psycopg insert, and nothing else.

No cache of accounts, no time limit, no rule against replays, no depth or size limit, no wake-up: what any
callback on wechatpy has to pay. `/echo/` answers without doing anything, which shows what server and load generator
can do at most.
"""

import datetime as dt
import json
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

import psycopg
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

from tests.wechat import push_kit

_ACCOUNTS: Final[dict[str, Any]] = json.loads(os.environ["BENCH_ACCOUNTS"])
_CRYPTO: Final = WeChatCrypto(push_kit.TOKEN, push_kit.AES_KEY, _ACCOUNTS["safe"]["app_id"])
_INSERT: Final = """
INSERT INTO wechat_inboundevent (account_id, dedupe_key, kind, openid, pushed_at, received_at, raw, state,
                                 attempt_count, lease_holder, failure)
VALUES (%s, %s, %s, %s, %s, %s, %s, 'stored', 0, '', '') ON CONFLICT DO NOTHING
"""
_kept: Final = threading.local()


def _connection() -> "psycopg.Connection[tuple[Any, ...]]":
    """One connection a thread, as ours."""
    if not hasattr(_kept, "connection"):
        _kept.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    connection: psycopg.Connection[tuple[Any, ...]] = _kept.connection
    return connection


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    if environ["PATH_INFO"] != "/echo/":
        _store(environ["PATH_INFO"].split("/")[-2], dict(parse_qsl(environ["QUERY_STRING"])), body)
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "7")])
    return [b"success"]


def _store(slug: str, query: dict[str, str], body: bytes) -> None:
    if query.get("encrypt_type") == "aes":
        xml = _CRYPTO.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
    else:
        check_signature(push_kit.TOKEN, query["signature"], query["timestamp"], query["nonce"])
        xml = body.decode()
    message = parse_message(xml)
    # WeChat's pages: messages are told apart by MsgId, events by sender and time.
    key = str(message.id or f"{message.source}{message.time}")
    row = (
        _ACCOUNTS[slug]["id"],
        key,
        message.type,
        message.source,
        message.create_time.astimezone(dt.UTC),
        dt.datetime.now(dt.UTC),
        xml,
    )
    _connection().execute(_INSERT, row)
