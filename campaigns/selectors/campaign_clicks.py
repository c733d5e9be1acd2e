"""The token in the link of a campaign's message: it says whose place in which run it is, and nobody can make another's."""

import base64
import binascii
import functools
import hashlib
import hmac
from typing import Final

from django.conf import settings
from django.utils.encoding import force_bytes

PAGE: Final = "pages/campaign"
_SALT: Final = "campaigns.click"
_ID_BYTES: Final = 6
_SIGN_BYTES: Final = 9
_LONGEST: Final = 20


def page_with_token(page: str, place_id: int) -> str:
    """Where her message leads: the page that was asked for, else the campaign's own, with her token as `c`."""
    page = page or PAGE
    return f"{page}{'&' if '?' in page else '?'}c={click_token(place_id)}"


def click_token(place_id: int) -> str:
    """Of a row of CampaignMember; twenty signs that may stand in an address."""
    head = place_id.to_bytes(_ID_BYTES, "big")
    return base64.urlsafe_b64encode(head + _sign(head)).decode()


def find_place_id(token: str) -> int | None:
    """The row that the token is of; None for one that we did not make."""
    if len(token) != _LONGEST:
        return None
    try:
        whole = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    head, sign = whole[:_ID_BYTES], whole[_ID_BYTES:]
    return int.from_bytes(head, "big") if hmac.compare_digest(sign, _sign(head)) else None


def _sign(head: bytes) -> bytes:
    return hmac.digest(_key(settings.SECRET_KEY), head, "sha256")[:_SIGN_BYTES]


@functools.lru_cache(maxsize=2)
def _key(secret: str) -> bytes:
    """As Django's `salted_hmac` makes it of the salt and the secret; for a million tokens once."""
    return hashlib.sha256(_SALT.encode() + force_bytes(secret)).digest()
