"""Followers beyond the cast: as many as a script asks for, computed from their number, holding nothing but what differs.

The crowd follows since long ago, in the order of its numbers, before everybody of the cast in the account's list.
"""

from functools import lru_cache
from typing import Any

from sandbox.identity import openid_of, unionid_of
from sandbox.models import Account

FIRST_FOLLOWED_AT = 1_600_000_000  # September 2020; the others one second after each other


@lru_cache(maxsize=4)
def _places(app_id: str, count: int) -> dict[str, int]:
    """The openids of the crowd and their numbers. One digest each: 100,000 take a fraction of a second, once."""
    return {openid_of(_key(number), app_id): number for number in range(count)}


def _key(number: int) -> str:
    return f"crowd-{number}"


def openids_of_crowd(account: Account) -> list[str]:
    """Everybody of the crowd who follows, in the order of the list."""
    gone = set(account.crowd_gone or ())
    everybody = _places(account.app_id, account.crowd or 0)
    return [openid for openid in everybody if openid not in gone]


def find_in_crowd(account: Account, openid: object) -> int | None:
    """Return the number of this openid in the crowd, following or not."""
    if not account.crowd or not isinstance(openid, str):
        return None
    return _places(account.app_id, account.crowd).get(openid)


def describe_one(account: Account, openid: str, number: int, language: str) -> dict[str, Any]:
    """Return her as `user/info` tells of her."""
    bound = {"unionid": unionid_of(_key(number), account.open_platform)} if account.open_platform else {}
    if openid in (account.crowd_gone or ()):
        return {"subscribe": 0, "openid": openid, **bound}
    return {
        "subscribe": 1,
        "openid": openid,
        "language": language,
        "subscribe_time": FIRST_FOLLOWED_AT + number,
        **bound,
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": "ADD_SCENE_SEARCH",
        "qr_scene": 0,
        "qr_scene_str": "",
    }
