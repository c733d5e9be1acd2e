"""One HTTP exchange: keep-alive connections shared by the process, explicit time limits, nothing else."""

import dataclasses
import functools
import logging
import os
import ssl
import threading
import time
from typing import Any, Final

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ClosedPoolError,
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from wechat.client.errors import TransportError, UnreadableAnswer

CONNECT_TIMEOUT_S: Final = 3.0
LONGEST_REST_S: Final = 4.0  # uvicorn closes after 5 s, nginx after 15 s or more
LARGEST_ANSWER: Final = 16 * 1024 * 1024
_CHUNK: Final = 64 * 1024

# urllib3 prints the whole URL, with secret and token, when it warns about odd headers.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str
    body: bytes


class _AtOnce:
    """A connection that sends head and body in one write; urllib3 makes two, and both ends wake up twice."""

    _gathered: list[Any] | None = None

    def request(self, *arguments: Any, **options: Any) -> None:
        gathered: list[Any] = []
        self._gathered = gathered
        try:
            super().request(*arguments, **options)  # type: ignore[misc]  # the other base class'
        finally:
            self._gathered = None
        self.send(b"".join(gathered))

    def send(self, data: Any) -> None:
        if self._gathered is None:
            super().send(data)  # type: ignore[misc]
        else:
            self._gathered.append(data)


class _PlainConnection(_AtOnce, HTTPConnection):
    pass


class _TlsConnection(_AtOnce, HTTPSConnection):
    pass


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class Connections:
    """The kept-alive connections of this process, dropped when all of them have rested for a while.

    A server closes a resting connection at a moment of its choosing. A message sent at that very moment would
    have to count as "WeChat may have it", so a connection is not trusted longer than servers usually keep
    one.
    """

    def __init__(self) -> None:
        self.manager = urllib3.PoolManager(num_pools=8, maxsize=32, retries=False)
        self.manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        self._used_at = time.monotonic()
        self._lock = threading.Lock()

    def ready(self) -> urllib3.PoolManager:
        with self._lock:
            now = time.monotonic()
            if now - self._used_at > LONGEST_REST_S:
                self.manager.clear()
            self._used_at = now
        return self.manager

    def close(self) -> None:
        self.manager.clear()


@functools.cache
def connections() -> Connections:
    """This process' own."""
    return Connections()


# A worker that inherited open connections would share them with its parent and read its answers.
os.register_at_fork(after_in_child=connections.cache_clear)


def exchange(
    method: str, url: str, *, path: str, body: bytes | None, content_type: str | None, timeout_s: float
) -> Answer:
    """Send one request and read the whole answer within `timeout_s` seconds.

    Follows no redirect (it could lead anywhere) and repeats nothing. Raises TransportError, which never names
    the URL (`path` is WeChat's path without its query), or UnreadableAnswer for an answer without end.
    """
    failure: TransportError | UnreadableAnswer
    try:
        return _exchange(method, url, body, content_type, timeout_s)
    except _TooLong:
        failure = UnreadableAnswer(path, errmsg="the answer is too long")
    except (HTTPError, TimeoutError) as error:
        failure = _describe(path, error)
    # Raised out here, so that urllib3's exception, which prints the URL, is not kept as its context.
    raise failure


class _TooLong(Exception):
    pass


def _exchange(
    method: str, url: str, body: bytes | None, content_type: str | None, timeout_s: float
) -> Answer:
    deadline = time.monotonic() + timeout_s
    headers = {"Accept": "*/*", "User-Agent": "xiaoer"}
    if content_type is not None:
        headers["Content-Type"] = content_type
    response = (
        connections()
        .ready()
        .request(
            method,
            url,
            body=body,
            headers=headers,
            redirect=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=min(CONNECT_TIMEOUT_S, timeout_s), read=timeout_s),
        )
    )
    is_read = False
    try:
        received = bytearray()
        for chunk in response.stream(_CHUNK):
            received += chunk
            if len(received) > LARGEST_ANSWER:
                raise _TooLong
            if time.monotonic() > deadline:
                raise TimeoutError
        is_read = True
    finally:
        if not is_read:
            response.close()
        response.release_conn()
    return Answer(response.status, response.headers.get("Content-Type", ""), bytes(received))


def _describe(path: str, error: Exception) -> TransportError:
    if isinstance(error, ClosedPoolError):
        return TransportError(path, how="connection", reached="no", errmsg="the connections were just closed")
    if isinstance(error, NewConnectionError):  # asked first: urllib3 makes it a kind of ConnectTimeoutError
        return TransportError(path, how="connection", reached="no", errmsg="connection refused")
    if isinstance(error, ConnectTimeoutError):
        return TransportError(path, how="timeout", reached="no", errmsg="no connection in time")
    if isinstance(error, SSLError):
        is_handshake = any(isinstance(part, ssl.SSLCertVerificationError) for part in error.args)
        return TransportError(
            path, how="connection", reached="no" if is_handshake else "unknown", errmsg="TLS failure"
        )
    if isinstance(error, ReadTimeoutError | TimeoutError):
        return TransportError(path, how="timeout", reached="unknown", errmsg="no answer in time")
    return TransportError(path, how="connection", reached="unknown", errmsg="connection broken off")
