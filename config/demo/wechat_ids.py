"""Under which ids the sandbox knows the demo's seeded members: it computes them from a person's key (docs/sandbox.md), so
both sides know them before they ever talk."""

import base64
import hashlib
import hmac
from typing import Final

OPEN_PLATFORM: Final = "suyi"
_SALT: Final = b"xiaoer-sandbox-identity-v1"


def key_of(number: int) -> str:
    """The key of the seed's member of this number."""
    return f"suyi-{number}"


def openid_of(key: str, app_id: str) -> str:
    """How an account knows her."""
    return _named("o", f"openid:{app_id}:{key}")


def unionid_of(key: str) -> str:
    """How all apps of the chain know her."""
    return _named("u", f"unionid:{OPEN_PLATFORM}:{key}")


def _named(prefix: str, text: str) -> str:
    digest = hmac.new(_SALT, text.encode(), hashlib.sha256).digest()
    return prefix + base64.urlsafe_b64encode(digest).decode()[:27]
