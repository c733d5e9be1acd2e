"""A pass over all followers of an account, as a worker makes it, against a bare keep-alive loop over the same pages of the same
stand-in: what WeChat's answers take at the least. Everybody is new and is registered, and each one's unionid is asked for.

What costs is the calls, of which WeChat counts 500 a day for the list; so they are printed beside the time.
"""

import json
import os
import urllib.request
from typing import Final

from bench.figures import Figure, Report, spread
from bench.private import Private, in_turns, private_database
from tests.sandbox_process import running_sandbox

ROUNDS: Final = int(os.environ.get("BENCH_SYNC_ROUNDS") or 3)
COUNT: Final = int(os.environ.get("BENCH_FOLLOWERS_COUNT") or 100_000)
APP_ID: Final = "wxbench0000000001"
_PAGE: Final = 10_000
_BATCH: Final = 100
_SECRET: Final = "s" * 32

_ACCOUNT: Final = f"""
import django; django.setup()
from wechat.models import Account
Account.objects.create(slug="bench", name="bench", app_id="{APP_ID}", original_id="gh", app_secret="{_SECRET}",
                       push_token="token", aes_key="A" * 43)
print("made")
"""
_FLOOR: Final = """
import json, sys, time, urllib3
base, app_id, secret, batch = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
pool = urllib3.PoolManager(retries=False)
def post(path, body):
    return json.loads(pool.request("POST", f"{base}/api/cgi-bin/{path}", body=json.dumps(body).encode()).data)
token = post("stable_token", {"grant_type": "client_credential", "appid": app_id, "secret": secret})["access_token"]
began, calls, everybody, after = time.monotonic(), 0, [], ""
while True:
    url = f"{base}/api/cgi-bin/user/get?access_token={token}&next_openid={after}"
    page = json.loads(pool.request("GET", url).data)
    calls += 1
    everybody += page.get("data", {}).get("openid", [])
    after = page["next_openid"]
    if not page["count"]:
        break
for start in range(0, len(everybody), batch):
    some = [{"openid": openid, "lang": "zh_CN"} for openid in everybody[start : start + batch]]
    assert len(post(f"user/info/batchget?access_token={token}", {"user_list": some})["user_info_list"]) == len(some)
    calls += 1
print(time.monotonic() - began, calls, len(everybody))
"""
_OURS: Final = """
import time
import django; django.setup()
from core.actor import Actor
from wechat.models import Account, FollowerSync
from wechat.services import follower_syncs
account = Account.objects.get()
run = follower_syncs.start_follower_sync(account_id=account.pk, actor=Actor.system("bench"))
began = time.monotonic()
while not FollowerSync.objects.filter(pk=run, ended_at__isnull=False).exists():
    follower_syncs.work_follower_sync(run)
seconds = time.monotonic() - began
run = FollowerSync.objects.get(pk=run)
listed = run.phase_started_at  # of the last step, the unionids
print(seconds, (listed - run.started_at).total_seconds(), run.request_count, run.seen_count, run.identified_count)
"""


def bench() -> Report:
    """Rounds in turns with the floor. Raises RuntimeError when not everybody was read."""
    with running_sandbox() as base_url, private_database() as private:
        _set_up(base_url)
        private.environment["WECHAT_BASE_URL"] = base_url
        private.environment["WECHAT_FOLLOWER_LOOKUPS_PER_DAY"] = str(COUNT)
        private.job(_ACCOUNT)
        calls: dict[str, int] = {}
        list_s: list[float] = []

        def floor() -> float:
            seconds, count, people = private.job(_FLOOR, base_url, APP_ID, _SECRET, str(_BATCH))
            calls["floor"] = int(count)
            _check(int(people))
            return float(seconds)

        def ours() -> float:
            _forget(private)
            seconds, listed, count, people, named = private.job(_OURS)
            calls["ours"] = int(count)
            list_s.append(float(listed))
            _check(int(people))
            _check(int(named))
            return float(seconds)

        floors, ourses, _state = in_turns(ROUNDS, floor=floor, ours=ours, check=tuple)
    return _report(floors, ourses, list_s, calls)


def _set_up(base_url: str) -> None:
    account = {
        "name": "bench", "app_secret": _SECRET, "original_id": "gh", "token": "token", "aes_key": "A" * 43,
        "open_platform": "op", "crowd": COUNT,
    }  # fmt: skip
    request = urllib.request.Request(
        f"{base_url}/_/accounts/{APP_ID}", json.dumps(account).encode(), method="PUT"
    )
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request, timeout=10).close()


def _forget(private: Private) -> None:
    """A chain that has not heard of anybody yet."""
    private.connection.execute(
        "TRUNCATE members_member, wechat_follower, wechat_followersync, core_auditentry CASCADE"
    )


def _check(people: int) -> None:
    if people != COUNT:
        raise RuntimeError(f"{people} of {COUNT} followers")


def _report(floors: list[float], ours: list[float], list_s: list[float], calls: dict[str, int]) -> Report:
    shares = [our / floor for floor, our in zip(floors, ours, strict=True)]
    figures = (
        Figure(
            f"follower_sync of {COUNT:,}, seconds",
            spread(floors, 1),
            spread(ours, 1),
            sorted(shares)[len(shares) // 2],
        ),
        Figure("follower_sync, the list and its people alone, seconds", ours=spread(list_s, 1)),
        Figure(
            "follower_sync, calls",
            f"{calls['floor']:,}",
            f"{calls['ours']:,}",
            calls["ours"] / calls["floor"],
        ),
        Figure(
            "follower_sync, followers a second",
            spread([COUNT / seconds for seconds in floors]),
            spread([COUNT / seconds for seconds in ours]),
        ),
    )
    million = -(-1_000_000 // _PAGE) + 1
    notes = (
        f"of the calls {COUNT // _PAGE + 1} are for the list ({million} for a million, of 500 a day), the others for a hundred "
        "unionids each",
    )
    return Report(figures, notes, {"floor": floors, "ours": ours, "list": list_s, "calls": calls})
