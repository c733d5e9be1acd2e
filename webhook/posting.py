"""One telling. Redirects are not followed, answers are read no further than a few kB, and where the name of the host points to
is looked at each time: an address of our own network, or of the machine's own services, is not called."""

import dataclasses
import hashlib
import hmac
import ipaddress
import socket
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from django.conf import settings
from urllib3.exceptions import HTTPError

from core import clock
from core.outside import refuse_open_transaction

_TIMEOUT: Final = urllib3.Timeout(connect=3.0, read=8.0)
_LARGEST_ANSWER: Final = 4_096


@dataclasses.dataclass(frozen=True, slots=True)
class Posted:
    """What came of it: an empty code is a 2xx; no_address, not_public, no_answer, or status."""

    code: str
    status: int | None = None


def post(*, url: str, secret: str, name: str, body: bytes) -> Posted:
    """The body was told there under this name, signed with the secret, or why not. Raises nothing."""
    refuse_open_transaction()
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        addresses = {str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError:
        return Posted("no_address")
    if not is_inside(host=host, port=parts.port) and not all(map(is_public, addresses)):
        return Posted("not_public")
    # The address that was looked at is the one that is called: a name may point elsewhere a moment later.
    pool = _pool(parts.scheme, min(addresses), host, port)
    try:
        response = pool.urlopen(
            "POST",
            f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}",
            body=body,
            headers=_headers(secret, name, body, parts.netloc),
            redirect=False,
            retries=False,
            timeout=_TIMEOUT,
            preload_content=False,
        )
        try:
            response.read(_LARGEST_ANSWER)
        finally:
            response.close()
    except (HTTPError, OSError):
        return Posted("no_answer")
    finally:
        pool.close()
    return Posted("" if 200 <= response.status < 300 else "status", response.status)


def is_inside(*, host: str, port: int | None) -> bool:
    """Whether settings name this host as one that may be in our own network."""
    return host in settings.WEBHOOK_INSIDE_HOSTS or f"{host}:{port}" in settings.WEBHOOK_INSIDE_HOSTS


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet: no loopback, no private net, no cloud's metadata."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_global and not found.is_multicast


def _pool(scheme: str, address: str, host: str, port: int) -> Any:
    if scheme == "http":
        return urllib3.HTTPConnectionPool(address, port, maxsize=1)
    return urllib3.HTTPSConnectionPool(address, port, maxsize=1, server_hostname=host, assert_hostname=host)


def _headers(secret: str, name: str, body: bytes, netloc: str) -> dict[str, str]:
    """The signature is over the moment, a dot and the body, so that an old telling cannot be told again as a new one."""
    moment = str(int(clock.now().timestamp()))
    signed = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {
        "Host": netloc,
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "xiaoer-webhook",
        "X-Xiaoer-Id": name,
        "X-Xiaoer-Timestamp": moment,
        "X-Xiaoer-Signature": f"sha256={signed}",
    }
