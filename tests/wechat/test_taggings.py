"""Tags on followers: what is wanted gets to WeChat once it can, and what WeChat has is known here."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from core import clock
from core.actor import Actor
from tests.wechat.gateway_out import APP_ID, Sandbox, at_once
from tests.wechat.scripted_server import DROP, FINE, HTML, Reply, ScriptedServer, Seen, error, ok
from wechat.models import Account, Follower, FollowerTag, FollowerTagging, ForgottenFollower, SendLane
from wechat.services import (
    erasing,
    follower_lookup,
    follower_tags,
    followers,
    lanes,
    tag_lists,
    tagging_queue,
    taggings,
)

PUT, TAKE = "/cgi-bin/tags/members/batchtagging", "/cgi-bin/tags/members/batchuntagging"
LIST = "/cgi-bin/user/tag/get"
STAFF = Actor.staff(1, "总部")


def follow(account: Account, count: int) -> list[str]:
    openids = [f"oTAGGED{number:021d}" for number in range(count)]
    Follower.objects.bulk_create(
        Follower(account=account, openid=openid, is_following=True) for openid in openids
    )
    return openids


def make_tag(account: Account, number: int = 100, name: str = "老客") -> FollowerTag:
    return FollowerTag.objects.create(account=account, wechat_tag_id=number, name=name, synced_at=clock.now())


def openids_in(account: Account, openids: list[str]) -> QuerySet[Follower, str]:
    return Follower.objects.filter(account=account, openid__in=openids).values_list("openid", flat=True)


def want(tag: FollowerTag, openids: list[str], **other: Any) -> tuple[int, int]:
    done = taggings.want_tag(tag_pk=tag.pk, openids=openids_in(tag.account, openids), **other)
    return done.put_count, done.taken_count


def carriers(tag: FollowerTag) -> set[str]:
    return set(taggings.carrier_openids(tag.pk))


def states(tag: FollowerTag) -> list[tuple[str, str]]:
    rows = FollowerTagging.objects.filter(tag=tag).order_by("openid")
    return list(rows.values_list("state", "code"))


def asked(server: ScriptedServer, path: str) -> list[int]:
    return [len(call.json()["openid_list"]) for call in server.calls(path)]


def test_tags_get_to_wechat_and_come_back(sandbox: Sandbox, sandbox_account: Account) -> None:
    account = sandbox_account
    mei, li = sandbox.follower("小美")[1], sandbox.follower("小丽")[1]
    for openid in (mei, li):
        followers.note_follow(account_id=account.pk, openid=openid, scene="", at=clock.now())
    card = follower_tags.create_follower_tag(account_id=account.pk, name="老客", actor=STAFF)
    tag = FollowerTag.objects.get(pk=card.id)
    assert want(tag, [mei, li]) == (2, 0)
    assert tagging_queue.work_taggings() == 2
    assert want(tag, [mei]) == (0, 1)
    assert tagging_queue.work_taggings() == 1
    FollowerTagging.objects.all().delete()
    assert tag_lists.read_tag_lists() > 0
    assert carriers(tag) == {mei}
    Follower.objects.update(identified_at=None)
    FollowerTagging.objects.all().delete()
    assert follower_lookup.identify_followers() == 2
    assert carriers(tag) == {mei}


def test_fifty_people_a_call_and_nothing_twice(account: Account, server: ScriptedServer) -> None:
    tag, openids = make_tag(account), follow(account, 120)
    server.script(PUT, FINE)
    assert want(tag, openids) == (120, 0)
    assert tagging_queue.work_taggings() == 120
    assert sorted(asked(server, PUT)) == [20, 50, 50]
    assert tagging_queue.work_taggings() == 0
    assert want(tag, openids) == (0, 0)
    assert len(carriers(tag)) == 120


def test_a_wish_that_is_taken_back_in_time_asks_nothing(account: Account, server: ScriptedServer) -> None:
    tag, openids = make_tag(account), follow(account, 2)
    want(tag, openids)
    assert want(tag, []) == (0, 2)
    assert tagging_queue.work_taggings() == 0
    assert not FollowerTagging.objects.exists()
    assert server.calls(PUT) == []


def test_one_whom_wechat_refuses_does_not_hold_up_the_others(
    account: Account, server: ScriptedServer
) -> None:
    tag, openids = make_tag(account), follow(account, 50)
    full = openids[17]

    def answer(seen: Seen) -> Reply:
        return error(45059) if full in seen.json()["openid_list"] else FINE

    server.script(PUT, answer)
    want(tag, openids)
    tagging_queue.work_taggings()
    assert carriers(tag) == set(openids) - {full}
    assert [state for state in states(tag) if state[0] == "failed"] == [("failed", "wechat.tags_full")]
    assert len(server.calls(PUT)) < 14
    assert want(tag, openids) == (0, 0)
    assert tagging_queue.work_taggings() == 0
    server.script(PUT, FINE)
    want(tag, openids, at=clock.now() + dt.timedelta(days=2))
    assert [state for state in states(tag) if state[0] == "failed"] == []
    FollowerTagging.objects.update(not_before=clock.now())
    assert tagging_queue.work_taggings() == 1
    assert full in carriers(tag)


def test_staff_may_try_again_at_once(account: Account, server: ScriptedServer) -> None:
    tag, openids = make_tag(account), follow(account, 1)
    server.script(PUT, error(45059))
    want(tag, openids)
    tagging_queue.work_taggings()
    assert taggings.count_taggings([tag.pk])[tag.pk].failed_count == 1
    server.script(PUT, FINE)
    assert taggings.retry_failed_taggings(tag_pk=tag.pk) == 1
    assert tagging_queue.work_taggings() == 1


@pytest.mark.parametrize("reply", [error(-1), error(45011), DROP, HTML, Reply(status=502)])
def test_trouble_that_passes_is_waited_for(account: Account, server: ScriptedServer, reply: Reply) -> None:
    tag, openids = make_tag(account), follow(account, 60)
    server.script(PUT, reply)
    want(tag, openids)
    assert tagging_queue.work_taggings() == 0
    assert {state for state, _code in states(tag)} == {"queued"}
    assert not FollowerTagging.objects.exclude(lease_holder="").exists()
    server.script(PUT, FINE)
    FollowerTagging.objects.update(not_before=clock.now())
    SendLane.objects.update(backoff_until=None)
    assert tagging_queue.work_taggings() == 60


@pytest.mark.parametrize("errcode", [45009, 48001])
def test_a_halt_stops_the_channel_for_all_workers(
    account: Account, server: ScriptedServer, errcode: int
) -> None:
    tag, openids = make_tag(account), follow(account, 60)
    server.script(PUT, error(errcode))
    want(tag, openids)
    assert tagging_queue.work_taggings() == 0
    FollowerTagging.objects.update(not_before=clock.now())
    assert tagging_queue.work_taggings() == 0
    assert len(server.calls(PUT)) == 1
    assert lanes.find_halt(account_id=account.pk, channel="tagging", at=clock.now()) is not None
    lanes.lift_halt(account_id=account.pk, channel="tagging", actor=STAFF)
    server.script(PUT, FINE)
    assert tagging_queue.work_taggings() == 60


def test_a_tag_that_wechat_has_no_more_is_marked(account: Account, server: ScriptedServer) -> None:
    tag, openids = make_tag(account), follow(account, 3)
    server.script(PUT, error(45159))
    want(tag, openids)
    tagging_queue.work_taggings()
    tag.refresh_from_db()
    assert tag.gone_at is not None
    assert {code for _state, code in states(tag)} == {"wechat.tag_gone"}


def test_a_dead_workers_people_are_taken_over_and_its_late_answer_changes_nothing(
    account: Account, server: ScriptedServer
) -> None:
    tag, openids = make_tag(account), follow(account, 2)
    want(tag, openids)
    dead = tagging_queue._Worker(account.pk, 0.0)
    batch = dead._claim()
    server.script(PUT, FINE)
    assert tagging_queue.work_taggings() == 0
    FollowerTagging.objects.update(leased_until=clock.now() - dt.timedelta(seconds=1))
    assert tagging_queue.work_taggings() == 2
    want(tag, [])
    dead._settle(batch)
    assert {state for state, _code in states(tag)} == {"queued"}


def test_a_wish_that_changes_while_wechat_is_asked_is_done_after(
    account: Account, server: ScriptedServer
) -> None:
    tag, openids = make_tag(account), follow(account, 1)

    def answer(seen: Seen) -> Reply:
        want(tag, [])
        connection.close()  # the server's thread has one of its own
        return FINE

    server.script(PUT, answer)
    server.script(TAKE, FINE)
    want(tag, openids)
    tagging_queue.work_taggings()
    assert (len(server.calls(PUT)), len(server.calls(TAKE))) == (1, 1)
    assert carriers(tag) == set()


def test_four_workers_ask_for_everybody_once(account: Account, server: ScriptedServer) -> None:
    tag, openids = make_tag(account), follow(account, 200)
    server.script(PUT, FINE)
    want(tag, openids)
    assert sum(at_once(4, lambda _: tagging_queue.work_taggings())) == 200
    assert sum(asked(server, PUT)) == 200


def test_what_was_put_on_in_the_console_stays(account: Account, server: ScriptedServer) -> None:
    tag, openids = make_tag(account), follow(account, 3)
    server.script(LIST, ok(count=2, data={"openid": openids[:2]}, next_openid=""))
    tag_lists.read_tag_lists()
    assert carriers(tag) == set(openids[:2])
    assert want(tag, openids[1:]) == (2, 0)
    server.script(PUT, FINE)
    assert tagging_queue.work_taggings() == 1
    assert want(tag, []) == (0, 2)
    server.script(TAKE, FINE)
    assert tagging_queue.work_taggings() == 2
    assert carriers(tag) == {openids[0]}


def test_a_list_is_read_on_where_it_was_and_ours_that_is_missing_is_put_again(
    account: Account, server: ScriptedServer
) -> None:
    tag, openids = make_tag(account), follow(account, 5)
    server.script(PUT, FINE)
    want(tag, openids[4:])
    tagging_queue.work_taggings()

    def page(seen: Seen) -> Reply:
        after = seen.json().get("next_openid", "")
        start = openids.index(after) + 1 if after else 0
        found = openids[start : min(start + 2, 4)]
        data = {"data": {"openid": found}} if found else {}
        return ok(count=len(found), next_openid=found[-1] if found else "", **data)

    server.script(LIST, page, DROP, page)
    assert tag_lists.read_tag_lists() == 1
    tag.refresh_from_db()
    assert (tag.list_next, tag.listed_at) == (openids[1], None)
    assert tag_lists.read_tag_lists() == 2
    assert carriers(tag) == set(openids[:4])
    assert states(tag)[4] == ("queued", "")
    assert tag_lists.read_tag_lists() == 0
    assert tag_lists.read_tag_lists(tag_pks=[tag.pk]) == 3


def test_strangers_and_the_erased_on_a_list_stay_unknown(account: Account, server: ScriptedServer) -> None:
    make_tag(account)
    [openid] = follow(account, 1)
    people = [(account.app_id, openid)]
    erasing.erase_person(people=people)
    server.script(LIST, ok(count=2, data={"openid": [openid, "oSTRANGER"]}, next_openid=""))
    tag_lists.read_tag_lists()
    assert not FollowerTagging.objects.exists()
    assert ForgottenFollower.objects.count() == 1


def test_who_leaves_has_no_tags_and_gets_them_again_when_she_is_back(
    account: Account, server: ScriptedServer
) -> None:
    tag, [openid] = make_tag(account), follow(account, 1)
    server.script(PUT, FINE)
    want(tag, [openid])
    tagging_queue.work_taggings()
    followers.note_unfollow(account_id=account.pk, openid=openid, at=clock.now())
    assert not FollowerTagging.objects.exists()
    assert want(tag, [openid]) == (0, 0)
    followers.note_follow(account_id=account.pk, openid=openid, scene="", at=clock.now())
    assert want(tag, [openid]) == (1, 0)


def test_what_nobody_wants_any_more_stays_where_it_is(account: Account, server: ScriptedServer) -> None:
    tag, openids = make_tag(account), follow(account, 2)
    server.script(PUT, FINE)
    want(tag, openids[:1])
    tagging_queue.work_taggings()
    want(tag, openids)
    taggings.release_tag(tag_pk=tag.pk)
    assert tagging_queue.work_taggings() == 0
    assert carriers(tag) == {openids[0]}
    assert FollowerTagging.objects.count() == 1


def tagged(account: Account) -> tuple[FollowerTag, str]:
    """One follower who has a tag in WeChat."""
    [openid], tag = follow(account, 1), make_tag(account)
    want(tag, [openid])
    tagging_queue.work_taggings()
    return tag, openid


def erase(openid: str) -> None:
    erasing.erase_person(people=[(APP_ID, openid)])


def test_wechats_tags_are_taken_off_who_is_erased_and_then_nothing_names_her(
    account: Account, server: ScriptedServer
) -> None:
    server.script(PUT, FINE)
    server.script(TAKE, FINE)
    tag, openid = tagged(account)
    other = make_tag(account, 101, "只在这里等着")
    want(other, [openid])
    erase(openid)
    assert [row.tag_id for row in FollowerTagging.objects.all()] == [tag.pk]  # what waited is not done
    assert carriers(tag) == {openid}
    tagging_queue.work_taggings()
    assert [call.json()["openid_list"] for call in server.calls(TAKE)] == [[openid]]
    assert not FollowerTagging.objects.exists()
    assert want(tag, [openid]) == (0, 0)  # she is no follower of ours


@pytest.mark.parametrize("answer", [error(40003), error(43004), error(45159)])
def test_a_refusal_is_an_answer_too(account: Account, server: ScriptedServer, answer: Reply) -> None:
    server.script(PUT, FINE)
    server.script(TAKE, answer)
    _tag, openid = tagged(account)
    erase(openid)
    tagging_queue.work_taggings()
    assert not FollowerTagging.objects.exists()


def test_what_wechat_does_not_take_off_is_asked_again_for_a_week(
    account: Account, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(PUT, FINE)
    server.script(TAKE, error(45009))
    _tag, openid = tagged(account)
    erase(openid)
    tagging_queue.work_taggings()
    assert FollowerTagging.objects.get().state == "queued"
    now = clock.now()
    assert taggings.prune_forgotten_taggings(at=now + dt.timedelta(days=6, hours=23)) == 0
    assert taggings.prune_forgotten_taggings(at=now + dt.timedelta(days=7, hours=1)) == 1
    assert "wechat.tags_of_erased_left" in caplog.messages
    assert openid not in caplog.text


def test_a_tag_that_a_worker_is_putting_on_while_she_is_erased_comes_off_again(
    account: Account, server: ScriptedServer
) -> None:
    [openid], tag = follow(account, 1), make_tag(account)
    want(tag, [openid])

    def erase_meanwhile(_seen: Seen) -> Reply:
        erase(openid)
        connection.close()  # the server's thread ends with this call
        return FINE

    server.script(PUT, erase_meanwhile)
    server.script(TAKE, FINE)
    tagging_queue.work_taggings()
    tagging_queue.work_taggings()
    assert (asked(server, PUT), asked(server, TAKE)) == ([1], [1])
    assert not FollowerTagging.objects.exists()
