"""A mass message for 小美, 小丽 and whoever else follows, as a test wants it."""

import datetime as dt
from typing import Any

from django.apps import apps

from campaigns import handlers, services
from campaigns.contracts import MassDraft
from campaigns.models import MassMessage
from core import clock
from core.actor import Actor
from members import selectors as member_selectors
from members import services as member_services
from tests.campaigns.kit import World
from tests.cast import APP_ID, make_follower, openid_of
from tests.members import privacy_kit
from wechat.contracts import MassContent
from wechat.events import MassSettled
from wechat.services.mass import ALL_PATH, LIST_PATH

WRITER, SECOND = Actor.staff(1, "运营小周"), Actor.staff(2, "总部老王")
TEXT = MassContent("text", text="周年庆开始了，<a href='https://shop.example.com/'>去看看</a>")
TAG_ID = 101
DAY = dt.timedelta(days=1)


def draft(world: World, **other: Any) -> MassDraft:
    """A text to everybody, about what is theirs."""
    values: dict[str, Any] = {
        "account_id": world.cast.account_id,
        "name": "周年庆",
        "content": TEXT,
        "audience": "all",
        "purpose": "normal",
    }
    return MassDraft(**values | other)


def write(world: World, **other: Any) -> MassMessage:
    return services.save_mass_message(draft=draft(world, **other), actor=WRITER)


def confirm(message: MassMessage, *, actor: Actor = SECOND, **other: Any) -> MassMessage:
    return services.confirm_mass_message(
        message_id=message.pk, revision=message.revision, actor=actor, **other
    )


def confirmed(world: World, **other: Any) -> MassMessage:
    return confirm(write(world, **other))


def work(message: MassMessage) -> MassMessage:
    """What the timetable's job does, now."""
    services.send_due_mass_messages()
    return fresh(message)


def again(message: MassMessage) -> MassMessage:
    """The pause, or the dead worker's lease, is over."""
    past = clock.now() - dt.timedelta(seconds=1)
    MassMessage.objects.filter(pk=message.pk).update(not_before=past, leased_until=past)
    return work(message)


def fresh(message: MassMessage) -> MassMessage:
    return MassMessage.objects.get(pk=message.pk)


def listed(world: World, *more: int) -> dict[str, Any]:
    """小美 and 小丽 as a list, and these."""
    return {"audience": "list", "member_ids": [world.cast.xiaomei.id, world.cast.xiaoli.id, *more]}


def follow(world: World, openid: str, *, is_following: bool = True) -> None:
    apps.get_model("wechat", "Follower").objects.update_or_create(
        account_id=world.cast.account_id, openid=openid, defaults={"is_following": is_following}
    )


def newcomer(world: World, key: str) -> int:
    """One more who follows; the member's id."""
    member = make_follower(key, openid_of(key))
    follow(world, openid_of(key))
    return member.id


def tag(world: World, count: int = 5, **other: Any) -> Any:
    values = {"name": "老客", "follower_count": count, "synced_at": clock.now()} | other
    return apps.get_model("wechat", "FollowerTag").objects.update_or_create(
        account_id=world.cast.account_id, wechat_tag_id=TAG_ID, defaults=values
    )[0]


def sends(world: World) -> list[dict[str, Any]]:
    """Every send that arrived at WeChat."""
    return [seen.json() for path in (ALL_PATH, LIST_PATH) for seen in world.server.calls(path)]


def agree(*member_ids: int) -> None:
    if not member_selectors.list_current_consent_texts():
        privacy_kit.consent_texts()
    for member_id in member_ids:
        _say("agree_consent", member_id, version=1)


def withdraw(member_id: int) -> None:
    _say("withdraw_consent", member_id)


def _say(verb: str, member_id: int, **more: Any) -> None:
    getattr(member_services, verb)(
        member_id=member_id, kind="marketing", door="mini_program", actor=Actor.member(member_id), **more
    )


def told(world: World, message_id: str = "9001", **other: Any) -> None:
    """WeChat tells how a mass message went."""
    values: dict[str, Any] = {
        "account_id": world.cast.account_id,
        "app_id": APP_ID,
        "message_id": message_id,
        "is_sent": True,
        "reason": 0,
        "total_count": 3,
        "filtered_count": 2,
        "reached_count": 2,
        "error_count": 0,
        "copyright_state": 0,
        "inbound_id": 1,
        "at": int(clock.now().timestamp()),
    }
    handlers.on_mass_settled(MassSettled(**values | other))
