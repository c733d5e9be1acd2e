"""Mass messages from the first word to WeChat's numbers, over real HTTP in both directions: the sandbox takes them and pushes
their results. Lists that are longer than WeChat takes go in parts."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from pytest_django import Settings

from campaigns import services
from campaigns.errors import MassChanged, MassListTooLong
from campaigns.models import MassMessage, MassRecipient, ReachPolicy
from campaigns.selectors.mass import count_left_out, estimate_reach, get_mass_use
from campaigns.services import mass_parts
from core import clock
from sandbox.apis import mass as sandbox_mass
from sandbox.identity import openid_of
from tests.campaigns import mass_kit as kit
from tests.campaigns.kit import World
from tests.campaigns.mass_kit import SECOND, WRITER
from tests.cast import APP_ID, Cast
from tests.sandbox_process import running_sandbox
from tests.stack import wait_until
from tests.wechat.gateway_out import Sandbox
from tests.wechat.scripted_server import DROP, Seen, hosts_at, ok
from wechat.client import transport
from wechat.services.inbox import drain_inbox
from wechat.services.mass import LIST_PATH, MOST_OPENIDS

_CROWD = """
WITH crowd AS (
    INSERT INTO members_member (public_id, code, stage, name, name_tokens, gender, phone, phone_tail, source, source_scene,
                                is_following, registered_at)
    SELECT 'mass' || n, 'M' || n, 'prospect', '', '{}', '', '', '', 'import', '', true, now()
    FROM generate_series(1, %(count)s) n RETURNING id, substr(code, 2)::int AS place
), known AS (
    INSERT INTO members_memberidentity (member_id, kind, app_id, value, linked_at, given_through)
    SELECT crowd.id, 'openid', %(app)s, openid, now(), '{}'
    FROM crowd JOIN unnest(%(openids)s::text[]) WITH ORDINALITY AS named (openid, place) USING (place)
), follows AS (
    INSERT INTO wechat_follower (account_id, openid, is_following, followed_at, first_scene, unionid)
    SELECT %(account)s, openid, true, now(), '', '' FROM unnest(%(openids)s::text[]) AS openid
)
SELECT id FROM crowd ORDER BY place
"""


def crowd(world: World, openids: list[str]) -> list[int]:
    """Members with these openids who follow."""
    values: dict[str, Any] = {
        "count": len(openids),
        "app": APP_ID,
        "openids": openids,
        "account": world.cast.account_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CROWD, values)
        return [member_id for (member_id,) in cursor.fetchall()]


def listed(member_ids: list[int]) -> dict[str, Any]:
    return {"audience": "list", "member_ids": member_ids}


def parts_of(message: MassMessage) -> list[MassMessage]:
    return list(MassMessage.objects.filter(whole=message).order_by("pk"))


@pytest.fixture
def real(live_server: Any, cast: Cast, settings: Settings) -> Iterator[Sandbox]:
    """The cast's account in a sandbox that pushes to us."""
    account = apps.get_model("wechat", "Account").objects.get(pk=cast.account_id)
    with running_sandbox() as base_url:
        settings.WECHAT_HOSTS = hosts_at(base_url)
        sandbox = Sandbox(base_url, APP_ID)
        sandbox.ask(
            "PUT",
            f"/accounts/{APP_ID}",
            app_secret=account.app_secret,
            original_id=account.original_id,
            token=account.push_token,
            aes_key=account.aes_key,
            mode=account.push_mode,
            callback_url=f"{live_server.url}/wechat/callback/{account.slug}/",
        )
        sandbox.ask("PATCH", "/settings", delivery_delay_s=0)
        ReachPolicy.objects.update_or_create(
            pk=1, defaults={"is_quiet_on": False, "quiet_from": "22:00", "quiet_until": "08:30"}
        )
        yield sandbox
        transport.connections().close()


def settled(message: MassMessage, state: str = "finished") -> MassMessage:
    """Once the sandbox's pushes have arrived and were worked off."""

    def is_so() -> bool:
        drain_inbox()
        return kit.fresh(message).state == state

    wait_until(is_so, what=f"the message being {state}")
    return kit.fresh(message)


def test_written_confirmed_sent_and_settled_by_the_push(real: Sandbox, cast: Cast) -> None:
    people = [real.follower(name) for name in ("小花", "小草", "小树")]
    world = World(cast, None, 0)  # type: ignore[arg-type]
    member_ids = crowd(world, [openid for _person, openid in people])
    real.ask("POST", f"/people/{people[2][0]}/block", app_id=APP_ID)
    message = kit.write(world, **listed(member_ids))
    with pytest.raises(MassChanged):
        services.confirm_mass_message(message_id=message.pk, revision=7, actor=SECOND)
    message = kit.confirm(message)
    assert (message.written_by, message.confirmed_by) == (WRITER.label, SECOND.label)
    message = kit.work(message)
    assert message.state in ("sent", "finished")
    message = settled(message)
    counts = (message.total_count, message.filtered_count, message.reached_count, message.error_count)
    assert counts == (3, 3, 2, 1)
    assert message.settled_at is not None
    bubbles = real.ask("GET", f"/people/{people[0][0]}/chat?app_id={APP_ID}")["bubbles"]
    assert [bubble["via"] for bubble in bubbles if bubble["via"].startswith("mass")] == ["mass"]
    kit.work(message)
    assert len(real.ask("GET", f"/calls?path={LIST_PATH}")["calls"]) >= 1


def test_a_long_list_goes_in_parts_and_their_results_are_summed(
    real: Sandbox, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if WeChat took a tenth of what it takes."""
    assert sandbox_mass.MOST == MOST_OPENIDS
    most = MOST_OPENIDS // 10
    monkeypatch.setattr("wechat.services.mass.MOST_OPENIDS", most)
    count = 2 * most + 1
    real.ask("PATCH", f"/accounts/{APP_ID}", crowd=count)
    world = World(cast, None, 0)  # type: ignore[arg-type]
    openids = [openid_of(f"crowd-{number}", APP_ID) for number in range(count)]
    real.ask("PATCH", f"/accounts/{APP_ID}", crowd_gone=openids[:3])
    member_ids = crowd(world, openids)
    message = kit.confirm(kit.write(world, **listed(member_ids)))
    parts = parts_of(message)
    assert [part.recipients.count() for part in parts] == [667, 667, 667]
    assert len({part.client_msg_id for part in parts}) == 3
    assert (message.expected_count, estimate_reach(message).count) == (count, count)
    kit.work(message)
    message = settled(message)
    assert (message.total_count, message.reached_count) == (count, count - 3)
    assert len({part.message_id for part in parts_of(message)}) == 3
    use = get_mass_use(account_id=cast.account_id)
    assert use.list_count == 1


@pytest.fixture
def small(cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> None:
    """WeChat takes two at once: the same in little."""
    monkeypatch.setattr("wechat.services.mass.MOST_OPENIDS", 2)


def divided(world: World, count: int = 6) -> MassMessage:
    member_ids = crowd(world, [f"oPART{number:023d}" for number in range(count)])
    return kit.confirmed(world, **listed(member_ids))


def taken(world: World, *answers: Any) -> None:
    """WeChat takes what comes, and numbers it; `answers` come first."""
    numbers = iter(range(9_001, 9_100))
    waiting = list(answers)

    def answer(_seen: Seen) -> Any:
        return waiting.pop(0) if waiting else ok(errcode=0, errmsg="ok", msg_id=next(numbers))

    world.server.script(LIST_PATH, answer)


def test_a_part_in_doubt_is_asked_for_alone_and_the_others_are_not_sent_again(
    small: None, world: World
) -> None:
    taken(world, DROP)
    message = divided(world)
    assert message.part_count == 3
    message = kit.work(message)
    assert message.state == "sending"
    assert sorted(part.state for part in parts_of(message)) == ["sending", "sent", "sent"]
    keys = [sent["clientmsgid"] for sent in kit.sends(world)]
    past = clock.now() - dt.timedelta(seconds=1)
    MassMessage.objects.filter(state="sending").update(not_before=past)
    assert kit.work(message).state == "sent"
    again = [sent["clientmsgid"] for sent in kit.sends(world)]
    assert (len(again), again[-1], len(set(again))) == (4, keys[0], 3)
    for part in parts_of(message):
        kit.told(world, part.message_id, total_count=2, filtered_count=2, reached_count=2)
    message = kit.fresh(message)
    assert (message.state, message.total_count, message.reached_count) == ("finished", 6, 6)


def test_a_part_that_wechat_refuses_is_told_of_beside_those_that_went(small: None, world: World) -> None:
    taken(world, ok(errcode=45028, errmsg="has no masssend quota"))
    message = kit.work(divided(world))
    assert (message.state, message.code) == ("sent", "parts_failed")
    with pytest.raises(MassChanged):
        services.recall_mass_message(message_id=message.pk, actor=WRITER)


def test_a_worker_that_died_before_it_told_the_whole_is_made_up_for(small: None, world: World) -> None:
    taken(world)
    message = divided(world)
    MassMessage.objects.filter(whole=message).update(state="sent", message_id="1", sent_at=clock.now())
    assert kit.fresh(message).state == "confirmed"
    services.send_due_mass_messages()
    assert kit.fresh(message).state == "sent"


def test_a_planned_list_is_taken_back_whole(small: None, world: World) -> None:
    taken(world)
    message = kit.write(world, **listed(crowd(world, [f"oPART{number:023d}" for number in range(5)])))
    message = kit.confirm(message, send_at=clock.now() + dt.timedelta(hours=1))
    assert (message.part_count, message.recipients.count()) == (3, 0)
    services.recall_mass_message(message_id=message.pk, actor=WRITER)
    message = kit.fresh(message)
    assert (message.state, message.part_count, message.recipients.count()) == ("draft", 0, 5)
    assert MassMessage.objects.count() == 1
    copied = services.copy_mass_message(message_id=kit.confirm(message).pk, actor=WRITER)
    assert copied.recipients.count() == 5
    assert count_left_out(message) == {}


def test_a_list_beyond_ten_parts_is_refused(
    small: None, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.services.mass_writing.LONGEST_LIST", 4)
    with pytest.raises(MassListTooLong):
        divided(world, 5)
    assert mass_parts.LONGEST_LIST == 10 * MOST_OPENIDS
    assert not MassRecipient.objects.exists()
