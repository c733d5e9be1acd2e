"""Where calls may go: only to the hosts of settings.WECHAT_HOSTS, which a stand-in may take over."""

import dataclasses
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings

from wechat.client.errors import UnknownHost

API_HOST: Final = "api.weixin.qq.com"
PICTURE_HOST: Final = "mp.weixin.qq.com"
PAGE_HOST: Final = "open.weixin.qq.com"


@dataclasses.dataclass(frozen=True, slots=True)
class Address:
    """A checked address: `url` is where the request goes, `path` is WeChat's own path of the call."""

    url: str
    path: str
    params: tuple[tuple[str, str], ...]


def resolve(url: str) -> Address:
    """Map a WeChat URL to where it is served. Raises UnknownHost for any other host, port or scheme.

    wechatpy names WeChat's hosts in the code (absolute URLs, API classes with their own base), so the map
    works on the finished URL and not on a base that some calls would bypass.
    """
    parts = urlsplit(url)
    base = settings.WECHAT_HOSTS.get(parts.netloc)
    if base is None or parts.scheme not in ("http", "https"):
        raise UnknownHost(parts.path[:80] or "/")
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    return Address(f"{base}{parts.path}", parts.path, query)


def page_url(path: str) -> str:
    """The address of a page of open.weixin.qq.com that a browser is sent to."""
    return f"{settings.WECHAT_HOSTS[PAGE_HOST]}{path}"
