"""Life and death of access tokens, after the official pages "get access_token" and "get stable access_token".

Classic: every call gives a new token and the one before dies five minutes later. Stable: the same token is
given until five minutes before its expiry, or until it is replaced by force, which kills it at once; forcing
is ignored within 30 s of the last time and after 20 times a day. Neither family affects the other.
"""

import re
import secrets

from sandbox.errors import WeChatRefusal
from sandbox.models import DAY_S, AccessToken, Account
from sandbox.state import World

OVERLAP_S = 300
FORCE_PER_DAY = 20
FORCE_EVERY_S = 30
# The page tells callers to keep room for 512 characters; these are long, as real ones are.
SHAPE = re.compile(r"[0-9]{2}_[A-Za-z0-9_-]{130,}")


def overlap_of(account: Account) -> float:
    """Return how long two tokens live side by side; shortened when the lifetime itself was shrunk."""
    return OVERLAP_S if account.token_lifetime > OVERLAP_S else account.token_lifetime / 2


def _newest(account: Account, family: str) -> AccessToken | None:
    return next((token for token in reversed(account.tokens) if token.family == family), None)


def _issue(world: World, account: Account, family: str) -> AccessToken:
    now = world.now()
    end = now + account.token_lifetime
    value = f"{secrets.randbelow(90) + 10}_{secrets.token_urlsafe(102)}"
    token = AccessToken(value, family, now, end, end)
    recent = [old for old in account.tokens if old.expires_at > now - DAY_S]
    account.tokens = [*recent[-200:], token]
    world.touch()
    return token


def issue_classic(world: World, account: Account) -> AccessToken:
    """Give a new token; the previous ones live on for the overlap only."""
    for token in account.tokens:
        if token.family == "classic":
            token.dies_at = min(token.dies_at, world.now() + overlap_of(account))
    return _issue(world, account, "classic")


def _may_force(world: World, account: Account) -> bool:
    now = world.now()
    recent = [moment for moment in account.forced_refreshes if now - DAY_S < moment <= now]
    account.forced_refreshes = recent
    return len(recent) < FORCE_PER_DAY and (not recent or now - recent[-1] >= FORCE_EVERY_S)


def issue_stable(world: World, account: Account, *, is_forced: bool) -> AccessToken:
    """Give the current token, or a new one when it is about to expire, was killed, or is forced out."""
    now = world.now()
    current = _newest(account, "stable")
    if is_forced and _may_force(world, account):
        account.forced_refreshes.append(now)
        for token in account.tokens:
            if token.family == "stable":
                token.is_killed = True
        account.hands_out_killed_token = False
        return _issue(world, account, "stable")
    if current is None or current.expires_at <= now:
        return _issue(world, account, "stable")
    if current.is_killed and not account.hands_out_killed_token:
        return _issue(world, account, "stable")
    if current.expires_at - now <= overlap_of(account):
        return _issue(world, account, "stable")
    return current


def kill_tokens(world: World, account: Account, *, is_sticky: bool) -> int:
    """Make every token answer 40001. Sticky: stable_token goes on giving the dead one until forced."""
    living = [token for token in account.tokens if not token.is_killed and token.dies_at > world.now()]
    for token in living:
        token.is_killed = True
    account.hands_out_killed_token = is_sticky
    world.touch()
    return len(living)


def find_token(world: World, value: str) -> tuple[Account, AccessToken] | None:
    """Return the account a token was given to, whether the token still lives or not."""
    for account in world.accounts.values():
        for token in reversed(account.tokens):
            if token.value == value:
                return account, token
    return None


def authenticate(world: World, value: str | None) -> Account:
    """Return whose token this is, or refuse: 41001 missing, 40014 not a token, 40001 dead, 42001 expired."""
    if not value:
        raise WeChatRefusal(41001)
    if not SHAPE.fullmatch(value):
        raise WeChatRefusal(40014)
    found = find_token(world, value)
    if found is None:
        raise WeChatRefusal(40001)
    account, token = found
    if token.is_killed:
        raise WeChatRefusal(40001)
    if world.now() >= token.expires_at:
        raise WeChatRefusal(42001)
    if world.now() >= token.dies_at:
        raise WeChatRefusal(40001)
    return account
