"""Signing our pages for WeChat's JS-SDK. Official page "JS-SDK", appendix 1."""

import hashlib
import secrets
from urllib.parse import urlsplit

from django.conf import settings

from core import clock
from wechat.client.errors import WeChatError
from wechat.contracts import JsSignature
from wechat.errors import ForeignPage
from wechat.services.clients import client_for
from wechat.services.failures import to_refusal


def sign_page(*, account_id: int, url: str) -> JsSignature:
    """What `wx.config` needs on the page at `url`; the part from `#` on does not count.

    Refuses a page of any other host than PUBLIC_BASE_URL's (ForeignPage): any site could use our account.
    Raises WeChatAway or WeChatRefused when there is no ticket.
    """
    page = url.partition("#")[0]
    if not is_own_page(page):
        raise ForeignPage
    client = client_for(account_id)
    try:
        ticket = client.jsapi.get_jsapi_ticket()
    except WeChatError as error:
        raise to_refusal(error) from error
    timestamp, nonce = int(clock.now().timestamp()), secrets.token_hex(8)
    return JsSignature(
        app_id=client.appid,
        timestamp=timestamp,
        nonce_str=nonce,
        signature=sign(ticket=ticket, nonce_str=nonce, timestamp=timestamp, url=page),
    )


def sign(*, ticket: str, nonce_str: str, timestamp: int, url: str) -> str:
    """The signature: SHA-1 over the four values in this order, not URL-encoded."""
    text = f"jsapi_ticket={ticket}&noncestr={nonce_str}&timestamp={timestamp}&url={url}"
    return hashlib.sha1(text.encode()).hexdigest()  # noqa: S324  # the page prescribes SHA-1


def is_own_page(url: str) -> bool:
    """Is it an HTTP page of PUBLIC_BASE_URL's host and port?"""
    if any(character.isspace() or character in "\\\x00" for character in url):
        return False
    try:
        page, own = urlsplit(url), urlsplit(settings.PUBLIC_BASE_URL)
        same_port = (page.port or _port(page.scheme)) == (own.port or _port(own.scheme))
    except ValueError:
        return False
    has_login = page.username is not None or page.password is not None
    return page.scheme in ("http", "https") and page.hostname == own.hostname and same_port and not has_login


def _port(scheme: str) -> int:
    return 443 if scheme == "https" else 80
