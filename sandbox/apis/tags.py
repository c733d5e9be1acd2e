"""Tags of followers: official page "user tag management"."""

from collections.abc import Callable
from typing import Any

from sandbox.apis.gate import OK, Answer, Call, Endpoint
from sandbox.errors import WeChatRefusal
from sandbox.identity import openid_of
from sandbox.models import Person, Regular, Tie
from sandbox.regulars import openids_of_regulars, regulars_of

MOST_TAGS = 100
NAME_LENGTH = 30
FIRST_ID = 100
SYSTEM_IDS = {0, 1, 2}
MOST_CARRIERS = 100_000
BATCH = 50
TAGS_EACH = 20


def _carriers(call: Call, tag_id: int) -> list[Person]:
    app_id = call.account.app_id
    ties = ((person, person.ties.get(app_id)) for person in call.world.people.values())
    return [person for person, tie in ties if tie and tie.is_following and tag_id in tie.tag_ids]


def _count(call: Call, tag_id: int) -> int:
    return len(_carriers(call, tag_id)) + len(regulars_of(call.world, call.account, tag_id))


def _taggable(call: Call, openid: object) -> Tie | Regular:
    """Return what holds her tags: 40003 for an openid that is none of the account's."""
    regular = call.world.regular_by_openid(call.account.app_id, openid)
    if regular is not None:
        return regular
    person = call.world.person_by_openid(call.account.app_id, openid)
    if person is None:
        raise WeChatRefusal(40003)
    return call.world.tie(person, call.account.app_id)


def _tag(call: Call) -> dict[str, Any]:
    tag = call.json().get("tag")
    if not isinstance(tag, dict):
        raise WeChatRefusal(47001)
    return tag


def _id(call: Call, value: Any) -> int:
    """Return the id of a tag the account has and may change."""
    if value in SYSTEM_IDS:
        raise WeChatRefusal(45058)
    if not isinstance(value, int) or str(value) not in call.account.tags:
        raise WeChatRefusal(45159)
    return value


def _name(call: Call, value: Any, but: str = "") -> str:
    if not isinstance(value, str) or not value:
        raise WeChatRefusal(47001)
    if len(value) > NAME_LENGTH:
        raise WeChatRefusal(45158)
    if any(name == value and number != but for number, name in call.account.tags.items()):
        raise WeChatRefusal(45157)
    return value


def create_tag(call: Call) -> Answer:
    """Make a tag; ids begin at 100."""
    name = _name(call, _tag(call).get("name"))
    if len(call.account.tags) >= MOST_TAGS:
        raise WeChatRefusal(45056)
    tag_id = call.world.serial(f"tag:{call.account.app_id}") + FIRST_ID - 1
    call.account.tags[str(tag_id)] = call.summary = name
    call.world.touch()
    return {"tag": {"id": tag_id, "name": name}}


def list_tags(call: Call) -> Answer:
    """All tags with how many carry each; no errcode."""
    return {
        "tags": [
            {"id": int(number), "name": name, "count": _count(call, int(number))}
            for number, name in call.account.tags.items()
        ]
    }


def rename_tag(call: Call) -> Answer:
    """Give a tag another name."""
    tag = _tag(call)
    tag_id = _id(call, tag.get("id"))
    call.account.tags[str(tag_id)] = call.summary = _name(call, tag.get("name"), but=str(tag_id))
    call.world.touch()
    return OK


def delete_tag(call: Call) -> Answer:
    """Delete a tag and take it from everybody, unless too many carry it."""
    tag_id = _id(call, _tag(call).get("id"))
    if _count(call, tag_id) > MOST_CARRIERS:
        raise WeChatRefusal(45057)
    app_id = call.account.app_id
    holders: list[Tie | Regular] = [
        person.ties[app_id] for person in call.world.people.values() if app_id in person.ties
    ]
    holders += [one for one in call.world.regulars.values() if one.app_id == app_id]
    for holder in holders:
        if tag_id in holder.tag_ids:
            holder.tag_ids.remove(tag_id)
    call.summary = call.account.tags.pop(str(tag_id))
    call.world.touch()
    return OK


def _change_members(changed: Callable[[list[int], int], list[int]]) -> Callable[[Call], Answer]:
    def handle(call: Call) -> Answer:
        """Nobody's tags change unless everybody's may."""
        body = call.json()
        tag_id, openids = _id(call, body.get("tagid")), body.get("openid_list")
        if not isinstance(openids, list) or not 1 <= len(openids) <= BATCH:
            raise WeChatRefusal(40032)
        ties = []
        for openid in openids:
            tie = _taggable(call, openid)
            if not tie.is_following:
                raise WeChatRefusal(43004)
            ties.append(tie)
        for tie, tags in [(tie, changed(tie.tag_ids, tag_id)) for tie in ties]:
            tie.tag_ids[:] = tags
        call.summary = f"{call.account.tags[str(tag_id)]}，{len(ties)} 人"
        call.world.touch()
        return OK

    return handle


def _with(tags: list[int], tag_id: int) -> list[int]:
    if tag_id in tags:
        return tags
    if len(tags) >= TAGS_EACH:
        raise WeChatRefusal(45059)
    return [*tags, tag_id]


def _without(tags: list[int], tag_id: int) -> list[int]:
    return [number for number in tags if number != tag_id]


def tags_of(call: Call) -> Answer:
    """The tags of one follower."""
    return {"tagid_list": list(_taggable(call, call.json().get("openid")).tag_ids)}


def followers_of_tag(call: Call) -> Answer:
    """A page of those who carry a tag; past the end `data` is absent."""
    body = call.json()
    tag_id, after = _id(call, body.get("tagid")), body.get("next_openid") or ""
    openids = [openid_of(person.key, call.account.app_id) for person in _carriers(call, tag_id)]
    openids += openids_of_regulars(call.world, call.account, tag_id)
    start = openids.index(after) + 1 if after in openids else (len(openids) if after else 0)
    page = openids[start : start + call.world.settings.followers_page_size]
    answer: dict[str, Any] = {"count": len(page)}
    if page:
        answer["data"] = {"openid": page}
    return {**answer, "next_openid": page[-1] if page else ""}


ENDPOINTS = [
    Endpoint("/cgi-bin/tags/create", create_tag, "POST", is_official_only=True),
    Endpoint("/cgi-bin/tags/get", list_tags, "GET", is_official_only=True),
    Endpoint("/cgi-bin/tags/update", rename_tag, "POST", is_official_only=True),
    Endpoint("/cgi-bin/tags/delete", delete_tag, "POST", is_official_only=True),
    Endpoint("/cgi-bin/tags/members/batchtagging", _change_members(_with), "POST", is_official_only=True),
    Endpoint(
        "/cgi-bin/tags/members/batchuntagging", _change_members(_without), "POST", is_official_only=True
    ),
    Endpoint("/cgi-bin/tags/getidlist", tags_of, "POST", is_official_only=True),
    Endpoint("/cgi-bin/user/tag/get", followers_of_tag, "POST", is_official_only=True),
]
