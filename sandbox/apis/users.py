"""Followers: official pages "get user basic information", "get follower list", "set user remark".

Nickname and avatar are not here: the platform stopped giving them out on 2021-12-27.
"""

from typing import Any

from sandbox.apis.gate import OK, Answer, Call, Endpoint
from sandbox.crowd import describe_one, find_in_crowd, openids_of_crowd
from sandbox.errors import WeChatRefusal
from sandbox.identity import openid_of, unionid_of
from sandbox.models import Person, Tie
from sandbox.regulars import regulars_of

BATCH = 100
REMARK_LENGTH = 30


def _find(call: Call, openid: object) -> Person:
    if not openid:
        raise WeChatRefusal(41009)
    person = call.world.person_by_openid(call.account.app_id, openid)
    if person is None:
        raise WeChatRefusal(40003)
    return person


def _describe(call: Call, key: str, tie: Tie, language: str) -> dict[str, Any]:
    account = call.account
    bound = {"unionid": unionid_of(key, account.open_platform)} if account.open_platform else {}
    openid = openid_of(key, account.app_id)
    if not tie.is_following:
        return {"subscribe": 0, "openid": openid, **bound}
    return {
        "subscribe": 1,
        "openid": openid,
        "language": language,
        "subscribe_time": int(tie.followed_at),
        **bound,
        "remark": tie.remark,
        "groupid": 0,
        "tagid_list": list(tie.tag_ids),
        "subscribe_scene": tie.subscribe_scene,
        "qr_scene": tie.qr_scene,
        "qr_scene_str": tie.qr_scene_str,
    }


def _tell(call: Call, openid: object, language: str) -> dict[str, Any]:
    number = find_in_crowd(call.account, openid)
    if number is not None:
        return describe_one(call.account, str(openid), number, language)
    regular = call.world.regular_by_openid(call.account.app_id, openid)
    if regular is not None:
        return _describe(call, regular.key, regular.tie(), language)
    person = _find(call, openid)
    call.summary = call.summary or person.name
    return _describe(call, person.key, call.world.tie(person, call.account.app_id), language)


def get_info(call: Call) -> Answer:
    """One follower. No errcode on success."""
    return _tell(call, call.query.get("openid"), call.query.get("lang", "zh_CN"))


def get_info_batch(call: Call) -> Answer:
    """Up to a hundred followers at once."""
    users = call.json().get("user_list")
    if not isinstance(users, list) or not all(isinstance(user, dict) for user in users):
        raise WeChatRefusal(47001)
    if not 1 <= len(users) <= BATCH:
        raise WeChatRefusal(40032)
    call.summary = f"{len(users)} 人"
    lines = [_tell(call, user.get("openid"), str(user.get("lang", "zh_CN"))) for user in users]
    return {"user_info_list": lines}


def list_followers(call: Call) -> Answer:
    """A page of openids, oldest follower first; past the end `data` is absent."""
    app_id = call.account.app_id
    ties = [(person, person.ties[app_id]) for person in call.world.people.values() if app_id in person.ties]
    since = [(tie.followed_at, person.key) for person, tie in ties if tie.is_following]
    since += [(one.followed_at, one.key) for one in regulars_of(call.world, call.account)]
    openids = openids_of_crowd(call.account) + [openid_of(key, app_id) for _at, key in sorted(since)]
    start, after = 0, call.query.get("next_openid", "")
    if after:
        if not any(
            (
                find_in_crowd(call.account, after) is not None,
                call.world.regular_by_openid(app_id, after) is not None,
                call.world.person_by_openid(app_id, after) is not None,
            )
        ):
            raise WeChatRefusal(40003)
        start = openids.index(after) + 1 if after in openids else len(openids)
    page = openids[start : start + call.world.settings.followers_page_size]
    call.summary = f"{len(page)}/{len(openids)} 人"
    answer: dict[str, Any] = {"total": len(openids), "count": len(page)}
    if page:
        answer["data"] = {"openid": page}
    return {**answer, "next_openid": page[-1] if page else ""}


def set_remark(call: Call) -> Answer:
    """Keep the account's remark about a follower, shorter than 30 characters."""
    body = call.json()
    person = _find(call, body.get("openid"))
    remark = body.get("remark", "")
    if not isinstance(remark, str):
        raise WeChatRefusal(47001)
    if len(remark) >= REMARK_LENGTH:
        raise WeChatRefusal(45002)
    call.world.tie(person, call.account.app_id).remark = remark
    return OK


ENDPOINTS = [
    Endpoint("/cgi-bin/user/info", get_info, "GET", is_official_only=True),
    Endpoint("/cgi-bin/user/info/batchget", get_info_batch, "POST", is_official_only=True),
    Endpoint("/cgi-bin/user/get", list_followers, "GET", is_official_only=True),
    Endpoint("/cgi-bin/user/info/updateremark", set_remark, "POST", is_official_only=True),
]
