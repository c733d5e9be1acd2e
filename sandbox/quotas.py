"""Daily call counters, after the official page "API call limits": reset at midnight in Beijing."""

from sandbox.errors import WeChatRefusal
from sandbox.models import DAY_S, Account
from sandbox.state import World

DAILY_LIMITS = {
    "/cgi-bin/token": 2_000,
    "/cgi-bin/stable_token": 500_000,
    "/cgi-bin/menu/create": 1_000,
    "/cgi-bin/menu/get": 10_000,
    "/cgi-bin/menu/delete": 1_000,
    "/cgi-bin/menu/addconditional": 2_000,
    "/cgi-bin/menu/delconditional": 2_000,
    "/cgi-bin/menu/trymatch": 20_000,
    "/cgi-bin/media/upload": 100_000,
    "/cgi-bin/media/get": 200_000,
    "/cgi-bin/message/custom/send": 500_000,
    "/cgi-bin/message/template/send": 100_000,
    "/cgi-bin/message/subscribe/send": 10_000_000,
    "/cgi-bin/message/mass/send": 100,
    "/cgi-bin/message/mass/sendall": 100,
    "/cgi-bin/message/mass/preview": 100,
    "/cgi-bin/qrcode/create": 100_000,
    "/cgi-bin/user/get": 500,
    "/cgi-bin/user/info": 5_000_000,
    "/cgi-bin/user/info/batchget": 5_000_000,
    "/cgi-bin/user/info/updateremark": 10_000,
}
OTHER_LIMIT = 1_000_000
UNCOUNTED = {"/cgi-bin/clear_quota", "/cgi-bin/clear_quota/v2", "/cgi-bin/openapi/quota/get"}
CLEARS_PER_MONTH = 10


def limit_of(account: Account, path: str) -> int:
    """Return how many calls a day this account has for the path."""
    return account.quota.get(path, DAILY_LIMITS.get(path, OTHER_LIMIT))


def used_of(world: World, account: Account, path: str) -> int:
    """Return how many were made today."""
    if account.quota_day != world.beijing_day():
        account.quota_day = world.beijing_day()
        account.quota_used = {}
    return account.quota_used.get(path, 0)


def spend(world: World, account: Account, path: str) -> None:
    """Count one call, or refuse it with 45009."""
    if path in UNCOUNTED:
        return
    used = used_of(world, account, path)
    if used >= limit_of(account, path):
        raise WeChatRefusal(45009)
    account.quota_used[path] = used + 1


def clear(world: World, account: Account) -> None:
    """Set the counters back; ten times a month, then 48006."""
    now = world.now()
    account.quota_clears = [moment for moment in account.quota_clears if moment > now - 30 * DAY_S]
    if len(account.quota_clears) >= CLEARS_PER_MONTH:
        raise WeChatRefusal(48006)
    account.quota_clears.append(now)
    account.quota_used = {}
    world.touch()
