"""Web authorization behind the page: codes and grants. Official page "web authorization"."""

import secrets

from sandbox.errors import WeChatRefusal
from sandbox.identity import openid_of, snapshot_openid_of
from sandbox.models import DAY_S, Account, OAuthCode, OAuthGrant, Person
from sandbox.state import World

CODE_LIFE_S = 300
TOKEN_LIFE_S = 7200
REFRESH_LIFE_S = 30 * DAY_S


def issue_code(world: World, account: Account, person: Person, scope: str, *, is_snapshot: bool) -> str:
    """She agreed: return a code for the callback. In snapshot mode it leads to a virtual openid."""
    openid = (snapshot_openid_of if is_snapshot else openid_of)(person.key, account.app_id)
    code = secrets.token_hex(16)
    expires_at = world.now() + CODE_LIFE_S
    world.oauth_codes[code] = OAuthCode(
        code, account.app_id, person.id, openid, scope, is_snapshot, expires_at
    )
    world.touch()
    return code


def redeem_code(world: World, account: Account, value: str) -> OAuthGrant:
    """Exchange a code once: 40029 unknown or another app's, 40163 used, 42003 too old."""
    code = world.oauth_codes.get(value)
    if code is None or code.app_id != account.app_id:
        raise WeChatRefusal(40029)
    if code.is_used:
        raise WeChatRefusal(40163)
    if code.expires_at <= world.now():
        raise WeChatRefusal(42003)
    code.is_used = True
    now = world.now()
    grant = OAuthGrant(
        access_token=f"{secrets.randbelow(90) + 10}_{secrets.token_urlsafe(64)}",
        refresh_token=f"{secrets.randbelow(90) + 10}_{secrets.token_urlsafe(64)}",
        app_id=account.app_id,
        person_id=code.person_id,
        openid=code.openid,
        scope=code.scope,
        is_snapshot=code.is_snapshot,
        expires_at=now + TOKEN_LIFE_S,
        refresh_expires_at=now + REFRESH_LIFE_S,
    )
    world.oauth_grants[grant.access_token] = grant
    return grant


def renew_grant(world: World, account: Account, refresh_token: str) -> OAuthGrant:
    """Give a fresh access token for a refresh token: 40030 unknown, 42002 older than 30 days."""
    found = [grant for grant in world.oauth_grants.values() if grant.refresh_token == refresh_token]
    if not found or found[0].app_id != account.app_id:
        raise WeChatRefusal(40030)
    grant = found[0]
    if grant.refresh_expires_at <= world.now():
        raise WeChatRefusal(42002)
    del world.oauth_grants[grant.access_token]
    grant.access_token = f"{secrets.randbelow(90) + 10}_{secrets.token_urlsafe(64)}"
    grant.expires_at = world.now() + TOKEN_LIFE_S
    world.oauth_grants[grant.access_token] = grant
    return grant


def find_grant(world: World, access_token: str | None, openid: str | None) -> OAuthGrant:
    """Return the grant of a user's token: 41001, 41009, 40014, 42001, 40003 when the openid is not hers."""
    if not access_token:
        raise WeChatRefusal(41001)
    grant = world.oauth_grants.get(access_token)
    if grant is None:
        raise WeChatRefusal(40014)
    if grant.expires_at <= world.now():
        raise WeChatRefusal(42001)
    if not openid:
        raise WeChatRefusal(41009)
    if grant.openid != openid:
        raise WeChatRefusal(40003)
    return grant
