"""Mass messages behind the API: who gets one, the month's four, keys that are known, and the result that is pushed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.crowd import openids_of_crowd
from sandbox.errors import ScriptError, WeChatRefusal
from sandbox.models import DAY_S, Account, MassRecord, Person
from sandbox.state import BEIJING, World

A_MONTH = 4
RETRY_S = 60
SENT = "send success"


@dataclass
class Counts:
    """How many passed the filter, got it, and did not."""

    filtered: int = 0
    reached: int = 0
    errors: int = 0


def _month(world: World) -> str:
    return datetime.fromtimestamp(world.now(), BEIJING).strftime("%Y-%m")


def followers(world: World, account: Account, tag_id: object = None) -> list[Person]:
    """Return who of the cast follows, with that tag where one is given."""
    ties = ((person, person.ties.get(account.app_id)) for person in world.people.values())
    return [
        person
        for person, tie in ties
        if tie and tie.is_following and (tag_id is None or tag_id in tie.tag_ids)
    ]


def crowd_size(account: Account) -> int:
    """Return how many of the crowd follow."""
    return len(openids_of_crowd(account)) if account.crowd else 0


def spend_month(world: World, account: Account) -> None:
    """Count one message to everybody: 45028 for the fifth in a month."""
    if account.mass_month != _month(world):
        account.mass_month, account.mass_made = _month(world), 0
    if account.mass_made >= A_MONTH:
        raise WeChatRefusal(45028)
    account.mass_made += 1


def known_key(world: World, account: Account, key: object) -> int | None:
    """Return the message sent under this key in the last day: 45066 within a minute of the last try."""
    found = account.mass_keys.get(key) if isinstance(key, str) else None
    if found is None or found[0] < world.now() - DAY_S:
        return None
    if world.settings.mass_retry == "slow" and world.now() - found[0] < RETRY_S:
        raise WeChatRefusal(45066)
    return int(found[1])


def deliver(
    world: World,
    account: Account,
    people: list[Person],
    extra: int,
    kind: str,
    content: dict[str, Any],
    verdict: str,
) -> Counts:
    """Put it into the chats of those who follow and have not had four this month."""
    counts = Counts()
    if verdict != SENT:
        return counts
    month = _month(world)
    for person in people:
        tie = world.tie(person, account.app_id)
        if tie.mass_month != month:
            tie.mass_month, tie.mass_count = month, 0
        if not tie.is_following or tie.mass_count >= A_MONTH:
            continue
        counts.filtered += 1
        if tie.is_blocked:
            counts.errors += 1
            continue
        tie.mass_count += 1
        counts.reached += 1
        world.add_bubble(person, account.app_id, side="account", via="mass", kind=kind, **content)
    counts.filtered += extra
    counts.reached += extra
    return counts


def result_of(record: MassRecord, total: int, counts: Counts, verdict: str) -> dict[str, Any]:
    """Return the fields of the push that tells how it went."""
    return {
        "MsgType": "event",
        "Event": "MASSSENDJOBFINISH",
        "MsgID": record.msg_id,
        "Status": verdict,
        "TotalCount": total,
        "FilterCount": counts.filtered,
        "SentCount": counts.reached,
        "ErrorCount": counts.errors,
        "CopyrightCheckResult": {
            "Count": 0,
            "ResultList": "",
            "CheckState": 1 if record.kind == "news" else 0,
        },
    }


def read_drafts(rows: object) -> dict[str, list[dict[str, Any]]]:
    """Build drafts from a script's list: `{"media_id", "articles": [{"title", …}]}`."""
    made = {}
    for row in rows if isinstance(rows, list) else [None]:
        articles = row.get("articles") if isinstance(row, dict) else None
        media_id = row.get("media_id") if isinstance(row, dict) else None
        if not isinstance(media_id, str) or not isinstance(articles, list) or not articles:
            raise ScriptError("bad_field", "drafts 要是 {media_id, articles: [{title, …}]} 的列表")
        if not all(isinstance(one, dict) and isinstance(one.get("title"), str) for one in articles):
            raise ScriptError("bad_field", "每篇文章要有 title")
        made[media_id] = articles
    return made
