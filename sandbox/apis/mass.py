"""Mass messages: official pages "mass send by tag", "mass send by openid", "preview", "query", "delete" and "speed"."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox import mass
from sandbox.apis.customservice import media_url, part_of, text_part
from sandbox.apis.gate import OK, Answer, Call, Endpoint
from sandbox.crowd import find_in_crowd
from sandbox.errors import WeChatRefusal
from sandbox.models import MassRecord, Person
from sandbox.regulars import regulars_of

FEWEST, MOST = 2, 10_000
LONGEST_KEY = 64
FIRST_MSG_ID = 1_000_000_000
FIRST_DATA_ID = 2_247_483_000
SPEEDS = {0: 80, 1: 60, 2: 45, 3: 30, 4: 10}  # ten thousand a minute
DRAFTS_A_PAGE = 20


def _article(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    draft = call.account.drafts.get(part.get("media_id", ""))
    if draft is None:
        raise WeChatRefusal(40007)
    names = ("title", "description", "url", "picurl")
    return {"articles": [{name: str(one.get(name) or "") for name in names} for one in draft]}


def _pictures(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    listed = part.get("media_ids")
    if not isinstance(listed, list) or not listed:
        raise WeChatRefusal(40007)
    return {"url": media_url(call, {"media_id": listed[0]})}


def _picture(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    return {"url": media_url(call, part)}


# Message type → the body's part with it, who reads that, and what the chat calls it.
Reader = Callable[[Call, dict[str, Any]], dict[str, Any]]
READERS: dict[str, tuple[str, Reader, str]] = {
    "text": ("text", text_part, "text"),
    "image": ("images", _pictures, "image"),
    "mpnews": ("mpnews", _article, "news"),
}
PREVIEW_READERS = {**READERS, "image": ("image", _picture, "image")}


def _content(
    call: Call, body: dict[str, Any], readers: dict[str, tuple[str, Reader, str]]
) -> tuple[str, dict[str, Any]]:
    """Return what the chat shows: its kind and its content. A mini-program card is no mass message: 40008."""
    found = readers.get(str(body.get("msgtype")))
    if found is None:
        raise WeChatRefusal(40008)
    name, read, shown = found
    return shown, read(call, part_of(body, name))


@dataclass
class Crowd:
    """Whom a message is for: the cast among them, and how many there are in all."""

    people: list[Person]
    total: int
    extra: int = 0  # of the crowd, who are in no chat
    is_everybody: bool = False


def _send(call: Call, body: dict[str, Any], crowd: Crowd) -> Answer:
    """Take one mass message, once under its key."""
    kind, content = _content(call, body, READERS)
    key = body.get("clientmsgid")
    if key is not None and (not isinstance(key, str) or not 1 <= len(key) <= LONGEST_KEY):
        raise WeChatRefusal(45067)
    known = mass.known_key(call.world, call.account, key)
    if known is not None:
        call.summary += "（重复，没有再发）"
        return {**WeChatRefusal(45065).body(), "msg_id": known}
    if crowd.is_everybody:
        mass.spend_month(call.world, call.account)
    number = call.world.serial("mass_message")
    record = MassRecord(
        msg_id=FIRST_MSG_ID + number,
        kind=kind,
        at=call.world.now(),
        status="SENDING",
        media_id=str(body.get("mpnews", {}).get("media_id", "")) if kind == "news" else "",
    )
    call.account.masses[str(record.msg_id)] = record
    if key is not None:
        call.account.mass_keys[key] = [call.world.now(), record.msg_id]
    verdict = "send fail" if call.fault_kind == "undelivered" else call.world.settings.mass_verdict
    counts = mass.deliver(call.world, call.account, crowd.people, crowd.extra, kind, content, verdict)
    record.status = "SEND_SUCCESS" if verdict == "send success" else "SEND_FAIL"
    call.report(None, mass.result_of(record, crowd.total, counts, verdict))
    return {**OK, "msg_id": record.msg_id, "msg_data_id": FIRST_DATA_ID + number}


def send_by_list(call: Call) -> Answer:
    """Send to 2–10,000 openids; who follows no more gets nothing."""
    body = call.json()
    openids = body.get("touser")
    if not isinstance(openids, list) or not FEWEST <= len(openids) <= MOST:
        raise WeChatRefusal(40032)
    people, extra, is_known = [], 0, False
    for openid in openids:
        beyond = _follows_unseen(call, openid)
        if beyond is None:
            person = call.world.person_by_openid(call.account.app_id, openid)
            people += [] if person is None else [person]
        extra += beyond is True
        is_known = is_known or beyond is not None
    if not people and not is_known:
        raise WeChatRefusal(40003)
    call.summary = f"{body.get('msgtype')} → 名单 {len(openids)} 人"
    return _send(call, body, Crowd(people, len(openids), extra))


def _follows_unseen(call: Call, openid: object) -> bool | None:
    """Tell whether somebody beyond the cast with this openid follows; None when it is nobody's of them."""
    regular = call.world.regular_by_openid(call.account.app_id, openid)
    if regular is not None:
        return regular.is_following
    if find_in_crowd(call.account, openid) is not None:
        return openid not in (call.account.crowd_gone or ())
    return None


def send_by_tag(call: Call) -> Answer:
    """Send to a tag, or to everybody; to everybody four times a month."""
    body = call.json()
    chosen = part_of(body, "filter")
    if chosen.get("is_to_all") is True:
        people = mass.followers(call.world, call.account)
        extra = mass.crowd_size(call.account) + len(regulars_of(call.world, call.account))
        call.summary = f"{body.get('msgtype')} → 全部粉丝"
        return _send(call, body, Crowd(people, len(people) + extra, extra, is_everybody=True))
    tag = chosen.get("tag_id")
    if str(tag) not in call.account.tags:
        raise WeChatRefusal(45159)
    people = mass.followers(call.world, call.account, tag)
    extra = len(regulars_of(call.world, call.account, tag))
    call.summary = f"{body.get('msgtype')} → 标签 {call.account.tags[str(tag)]}"
    return _send(call, body, Crowd(people, len(people) + extra, extra))


def preview(call: Call) -> Answer:
    """Show it to one follower, by openid, or by the name a person has here."""
    body = call.json()
    name = body.get("towxname")
    person = call.world.person_by_openid(call.account.app_id, body.get("touser"))
    if name:
        person = next((one for one in call.world.people.values() if one.name == name), None)
    if person is None:
        raise WeChatRefusal(40132 if name else 40003)
    kind, content = _content(call, body, PREVIEW_READERS)
    call.summary = f"{kind} → {person.name}"
    if not call.world.tie(person, call.account.app_id).is_following:
        raise WeChatRefusal(43004)
    call.world.add_bubble(
        person, call.account.app_id, side="account", via="mass_preview", kind=kind, **content
    )
    return {**OK, "msg_id": FIRST_MSG_ID + call.world.serial("mass_preview")}


def _record(call: Call, body: dict[str, Any]) -> MassRecord:
    record = call.account.masses.get(str(body.get("msg_id")))
    if record is None:
        raise WeChatRefusal(40059)
    return record


def get(call: Call) -> Answer:
    """How a mass message stands."""
    record = _record(call, call.json())
    return {"msg_id": record.msg_id, "msg_status": record.status}


def delete(call: Call) -> Answer:
    """Make an article's page go away; texts and pictures stay: 40008."""
    record = _record(call, call.json())
    if record.kind != "news":
        raise WeChatRefusal(40008)
    record.status = "DELETE"
    call.world.touch()
    return OK


def get_speed(call: Call) -> Answer:
    """The step, and ten thousand followers a minute."""
    return {"speed": call.account.mass_speed, "realspeed": SPEEDS[call.account.mass_speed]}


def set_speed(call: Call) -> Answer:
    """Steps 0 (fastest) to 4: 45084 for any other."""
    speed = call.json().get("speed")
    if isinstance(speed, bool) or speed not in SPEEDS:
        raise WeChatRefusal(45084)
    call.account.mass_speed = speed
    call.world.touch()
    return OK


def list_drafts(call: Call) -> Answer:
    """A page of the drafts of articles."""
    body = call.json()
    count, offset = body.get("count"), body.get("offset")
    if not isinstance(count, int) or not 1 <= count <= DRAFTS_A_PAGE or not isinstance(offset, int):
        raise WeChatRefusal(40097)
    every = list(reversed(call.account.drafts.items()))
    page = every[offset : offset + count]
    items = [
        {"media_id": media_id, "content": {"news_item": articles}, "update_time": int(call.world.now())}
        for media_id, articles in page
    ]
    return {"total_count": len(every), "item_count": len(items), "item": items}


ENDPOINTS = [
    Endpoint("/cgi-bin/message/mass/sendall", send_by_tag, "POST", is_official_only=True),
    Endpoint("/cgi-bin/message/mass/send", send_by_list, "POST", is_official_only=True),
    Endpoint("/cgi-bin/message/mass/preview", preview, "POST", is_official_only=True),
    Endpoint("/cgi-bin/message/mass/get", get, "POST", is_official_only=True),
    Endpoint("/cgi-bin/message/mass/delete", delete, "POST", is_official_only=True),
    Endpoint("/cgi-bin/message/mass/speed/get", get_speed, "POST", is_official_only=True),
    Endpoint("/cgi-bin/message/mass/speed/set", set_speed, "POST", is_official_only=True),
    Endpoint("/cgi-bin/draft/batchget", list_drafts, "POST", is_official_only=True),
]
