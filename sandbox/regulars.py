"""Followers beyond the cast whom a script names one by one: a seeded product knows their openids and writes to them.

Each is a line in a table until something is sent to her alone; lists, tags and mass messages need no more than the line.
"""

from typing import Any

from sandbox.errors import ScriptError
from sandbox.identity import openid_of
from sandbox.models import Account, Regular
from sandbox.state import World

MOST = 50_000
SCENES = (
    "ADD_SCENE_SEARCH",
    "ADD_SCENE_QR_CODE",
    "ADD_SCENE_PROFILE_CARD",
    "ADD_SCENE_PROFILE_LINK",
    "ADD_SCENE_PAID",
    "ADD_SCENE_WECHAT_ADVERTISEMENT",
    "ADD_SCENE_OTHERS",
)


def _bad() -> ScriptError:
    return ScriptError(
        "bad_field", "followers 要是 {key, name, followed_at, is_following, scene, code, tag_ids} 的列表"
    )


def _read(account: Account, row: object, tags: dict[str, str]) -> Regular:
    if not isinstance(row, dict):
        raise _bad()
    key, tag_ids = row.get("key"), row.get("tag_ids", [])
    scene, since = row.get("scene", SCENES[0]), row.get("followed_at", 0)
    if not isinstance(key, str) or not key or not isinstance(tag_ids, list) or scene not in SCENES:
        raise _bad()
    if isinstance(since, bool) or not isinstance(since, int | float):
        raise _bad()
    if any(str(tag) not in tags for tag in tag_ids):
        raise ScriptError("unknown_tag", "tag_ids 里有 tags 没有写的编号")
    return Regular(
        key=key,
        name=str(row.get("name") or "粉丝"),
        app_id=account.app_id,
        followed_at=float(since),
        is_following=row.get("is_following", True) is True,
        subscribe_scene=scene,
        qr_scene_str=str(row.get("code", "")),
        tag_ids=list(tag_ids),
    )


def add_regulars(world: World, account: Account, tags: object, rows: object) -> int:
    """Add those whom the sandbox does not know yet, and tags whose numbers are free; the others stay as they have become.
    Return how many are new. Refuses what is no such list."""
    named = tags if isinstance(tags, dict) else {}
    if not isinstance(rows, list) or len(rows) > MOST:
        raise _bad()
    if not all(number.isdigit() and isinstance(name, str) for number, name in named.items()):
        raise ScriptError("bad_field", "tags 要是 {编号: 名字}")
    known_tags = {**named, **account.tags}
    made = [_read(account, row, known_tags) for row in rows]
    account.tags = known_tags
    world.serials[f"tag:{account.app_id}"] = max(
        [world.serials.get(f"tag:{account.app_id}", 0), *(int(number) - 99 for number in known_tags)]
    )
    fresh = [one for one in made if not world.knows_key(one.key)]
    for one in fresh:
        world.regulars[one.key] = one
    world.forget_regular_index()
    return len(fresh)


def regulars_of(world: World, account: Account, tag_id: object = None) -> list[Regular]:
    """Return those of the table who follow, with that tag where one is given, the oldest follower first."""
    found = [
        one
        for one in world.regulars.values()
        if one.app_id == account.app_id and one.is_following and (tag_id is None or tag_id in one.tag_ids)
    ]
    return sorted(found, key=lambda one: one.followed_at)


def openids_of_regulars(world: World, account: Account, tag_id: object = None) -> list[str]:
    """Return their openids."""
    return [openid_of(one.key, account.app_id) for one in regulars_of(world, account, tag_id)]


def describe_rows(world: World, account: Account) -> dict[str, Any]:
    """Return how many there are, for a script."""
    return {"followers": len(regulars_of(world, account)), "tags": account.tags}
