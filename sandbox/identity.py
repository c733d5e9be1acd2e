"""openid and unionid as deterministic functions of a person's key, so that a seeded product can predict them.

openid  = "o" + base64url(HMAC-SHA256(SALT, "openid:<app_id>:<key>"))[:27]
unionid = "u" + base64url(HMAC-SHA256(SALT, "unionid:<open_platform>:<key>"))[:27]

The salt is public: these are names of invented people, not secrets.
"""

import base64
import hashlib
import hmac

SALT = b"xiaoer-sandbox-identity-v1"


def _digest(text: str) -> bytes:
    return hmac.new(SALT, text.encode(), hashlib.sha256).digest()


def _name(prefix: str, text: str) -> str:
    return prefix + base64.urlsafe_b64encode(_digest(text)).decode()[:27]


def openid_of(key: str, app_id: str) -> str:
    """Return the openid by which the account `app_id` knows the person `key`: 28 characters."""
    return _name("o", f"openid:{app_id}:{key}")


def snapshot_openid_of(key: str, app_id: str) -> str:
    """Return the virtual openid given out in snapshot-page mode: it belongs to nobody else."""
    return _name("o", f"snapshot:{app_id}:{key}")


def unionid_of(key: str, open_platform: str) -> str:
    """Return the unionid shared by all apps bound to that Open Platform account: 28 characters."""
    return _name("u", f"unionid:{open_platform}:{key}")


def person_id_of(key: str) -> str:
    """Return the id under which the scripting API knows the person."""
    return "p" + _digest(f"person:{key}").hex()[:12]


def phone_of(key: str) -> str:
    """Return an invented mobile number for people created without one."""
    return f"199{int.from_bytes(_digest(f'phone:{key}')[:6], 'big') % 10**8:08d}"
