"""A pass over all followers: complete, resumable, quiet, and done once."""

import datetime as dt
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from members import selectors, services
from members.models import Member, MemberIdentity
from tests.killed_job import killed_while_waiting
from tests.wechat.gateway_out import APP_ID, at_once
from tests.wechat.scripted_server import (
    DROP,
    HTML,
    TOKEN_PATH,
    Reply,
    ScriptedServer,
    Seen,
    error,
    ok,
    token_reply,
)
from wechat.errors import SyncOver, SyncUnderWay
from wechat.models import (
    Account,
    Follower,
    FollowerSync,
    FollowerTag,
    ForgottenFollower,
    OutboundMessage,
)
from wechat.services import follower_syncs, followers, taggings

LIST, BATCH, INFO = "/cgi-bin/user/get", "/cgi-bin/user/info/batchget", "/cgi-bin/user/info"
STAFF = Actor.staff(1, "总部")
PAGE = 3


def name(number: int) -> str:
    return f"oSYNC{number:023d}"


class Crowd:
    """The followers as WeChat has them: so many, but those who left."""

    def __init__(self, server: ScriptedServer, count: int, *, has_unionids: bool = True) -> None:
        self.openids = [name(number) for number in range(count)]
        self.has_unionids = has_unionids
        server.script(LIST, self.page)
        server.script(BATCH, self.batch)

    def page(self, seen: Seen) -> Reply:
        after = seen.query.get("next_openid", "")
        start = self.openids.index(after) + 1 if after else 0
        found = self.openids[start : start + PAGE]
        data = {"data": {"openid": found}} if found else {}
        return ok(total=len(self.openids), count=len(found), next_openid=found[-1] if found else "", **data)

    def batch(self, seen: Seen) -> Reply:
        asked = [user["openid"] for user in seen.json()["user_list"]]
        return ok(user_info_list=[self.describe(openid) for openid in asked])

    def describe(self, openid: str) -> dict[str, Any]:
        if openid not in self.openids:
            return {"subscribe": 0, "openid": openid}
        unionid = {"unionid": f"u{openid[1:]}"} if self.has_unionids else {}
        return {"subscribe": 1, "openid": openid, **unionid}


def start(account: Account) -> FollowerSync:
    run_id = follower_syncs.start_follower_sync(account_id=account.pk, actor=STAFF)
    return FollowerSync.objects.get(pk=run_id)


def work(run: FollowerSync) -> FollowerSync:
    follower_syncs.work_follower_syncs()
    run.refresh_from_db()
    return run


def go_on(run: FollowerSync) -> FollowerSync:
    """The pause, or the dead worker's lease, is over."""
    FollowerSync.objects.filter(pk=run.pk).update(resume_at=None, leased_until=None)
    return work(run)


def snapshot() -> tuple[Any, ...]:
    return (
        list(Member.objects.order_by("pk").values_list("pk", "is_following", "follow_changed_at")),
        list(MemberIdentity.objects.order_by("pk").values_list("pk", "value")),
        list(Follower.objects.order_by("pk").values_list("pk", "openid", "is_following", "unionid")),
        AuditEntry.objects.filter(subject_kind="members.member").count(),
    )


def test_everybody_is_a_prospect_with_her_unionid_and_hears_nothing(
    account: Account, server: ScriptedServer
) -> None:
    Crowd(server, 7)
    run = work(start(account))
    assert (run.state, run.total_count, run.seen_count, run.new_count) == ("finished", 7, 7, 7)
    assert (run.lost_count, run.identified_count, run.lease_holder) == (0, 7, "")
    # Three pages, the empty one after the last, one lookup.
    assert run.request_count == len(server.calls(LIST)) + len(server.calls(BATCH)) == 5
    members = Member.objects.all()
    assert {(row.source, row.stage, row.is_following) for row in members} == {("sync", "prospect", True)}
    assert MemberIdentity.objects.filter(kind="openid", app_id=APP_ID).count() == 7
    assert MemberIdentity.objects.filter(kind="unionid").count() == 7
    assert AuditEntry.objects.filter(action="members.registered").count() == 7
    assert not OutboundMessage.objects.exists()


def test_a_second_pass_writes_nothing(account: Account, server: ScriptedServer) -> None:
    Crowd(server, 5)
    work(start(account))
    before = snapshot()
    run = work(start(account))
    assert (run.state, run.new_count, run.lost_count, run.identified_count) == ("finished", 0, 0, 0)
    assert snapshot() == before


def test_who_is_not_on_the_list_is_lost_only_when_wechat_says_so(
    account: Account, server: ScriptedServer
) -> None:
    crowd = Crowd(server, 5)
    work(start(account))
    left, overlooked = crowd.openids.pop(4), crowd.openids[3]

    def without(seen: Seen) -> Reply:
        if seen.query.get("next_openid"):
            return ok(total=3, count=0, next_openid="")
        return ok(total=3, count=3, data={"openid": crowd.openids[:3]}, next_openid=crowd.openids[2])

    server.script(LIST, without)
    run = work(start(account))
    assert (run.state, run.lost_count) == ("finished", 1)
    following = dict(Follower.objects.values_list("openid", "is_following"))
    assert (following[left], following[overlooked]) == (False, True)
    hers = Member.objects.get(identities__value=left)
    assert not hers.is_following
    assert AuditEntry.objects.filter(action="members.unfollowed", subject_id=hers.pk).count() == 1


def test_a_list_that_stays_incomplete_marks_nobody(account: Account, server: ScriptedServer) -> None:
    crowd = Crowd(server, 4)
    work(start(account))
    crowd.openids = crowd.openids[:3]
    server.script(LIST, lambda _: ok(total=9, count=3, data={"openid": crowd.openids}, next_openid=""))
    run = work(start(account))
    assert (run.state, run.lost_count, run.restart_count) == ("finished", 0, 3)
    assert Follower.objects.filter(is_following=True).count() == 4


def test_who_unfollows_during_the_pass_stays_unfollowed(account: Account, server: ScriptedServer) -> None:
    crowd = Crowd(server, 3)
    work(start(account))
    gone = crowd.openids[1]

    def page(seen: Seen) -> Reply:
        # Her push overtakes the page that still names her.
        followers.note_unfollow(account_id=account.pk, openid=gone, at=clock.now() + dt.timedelta(seconds=1))
        connection.close()
        return crowd.page(seen)

    server.script(LIST, page)
    run = work(start(account))
    assert run.state == "finished"
    assert not Follower.objects.get(openid=gone).is_following


def test_who_came_back_unheard_follows_again(account: Account, server: ScriptedServer) -> None:
    crowd = Crowd(server, 2)
    work(start(account))
    long_ago = clock.now() - dt.timedelta(days=1)
    Follower.objects.update(is_following=False, unfollowed_at=long_ago)
    Member.objects.update(is_following=False, follow_changed_at=long_ago)
    work(start(account))
    assert Follower.objects.filter(is_following=True).count() == 2
    assert Member.objects.filter(is_following=True).count() == len(crowd.openids)
    assert AuditEntry.objects.filter(action="members.followed").count() == 2


@pytest.mark.parametrize("path", [LIST, BATCH])
@pytest.mark.parametrize(
    "reply", [HTML, DROP, error(-1), ok(total="x"), ok(errcode=0), ok(total=1, data={"openid": ["a b"]})]
)
def test_trouble_waits_and_goes_on_where_it_was(
    account: Account, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, path: str, reply: Reply
) -> None:
    monkeypatch.setattr("wechat.client.gateway.BUSY_PAUSES_S", ())
    crowd = Crowd(server, 5)
    good = crowd.page if path == LIST else crowd.batch
    server.script(path, *([good, reply] if path == LIST else [reply]))
    run = work(start(account))
    assert (run.state, run.trouble_code, run.trouble_count) == ("running", "wechat.away", 1)
    assert run.resume_at is not None
    assert run.resume_at > clock.now()
    assert work(run).trouble_count == 1  # not before its time
    server.script(path, good)
    run = go_on(run)
    assert (run.state, run.seen_count, run.new_count, run.trouble_code) == ("finished", 5, 5, "")


def test_a_spent_quota_waits_for_midnight(account: Account, server: ScriptedServer) -> None:
    crowd = Crowd(server, 5)
    server.script(LIST, crowd.page, error(45009))
    run = work(start(account))
    _start, midnight = clock.day_bounds(clock.today())
    assert (run.state, run.seen_count, run.trouble_code) == ("running", 3, "wechat.quota_spent")
    assert run.resume_at is not None
    assert abs(run.resume_at - midnight) < dt.timedelta(seconds=5)
    server.script(LIST, crowd.page)
    assert go_on(run).state == "finished"


def test_what_a_person_has_to_mend_stops_it_until_she_resumes(
    account: Account, server: ScriptedServer
) -> None:
    crowd = Crowd(server, 5)
    server.script(LIST, crowd.page, error(48001))
    run = work(start(account))
    assert (run.state, run.trouble_code, run.trouble_errcode) == ("failed", "wechat.no_permission", 48001)
    with pytest.raises(SyncUnderWay):
        start(account)
    server.script(LIST, crowd.page)
    assert work(run).state == "failed"
    follower_syncs.resume_follower_sync(run_id=run.pk, actor=STAFF)
    assert work(run).state == "finished"
    assert Member.objects.count() == 5


def test_a_token_that_dies_in_the_middle_is_renewed(account: Account, server: ScriptedServer) -> None:
    crowd = Crowd(server, 5)
    server.script(TOKEN_PATH, token_reply("token-1"), token_reply("token-2"))
    server.script(LIST, crowd.page, error(40001), crowd.page)
    assert work(start(account)).state == "finished"
    assert {seen.query["access_token"] for seen in server.calls(LIST)} == {"token-1", "token-2"}
    assert Member.objects.count() == 5


def test_the_place_to_read_on_from_may_leave(account: Account, server: ScriptedServer) -> None:
    crowd = Crowd(server, 5)
    server.script(LIST, crowd.page, error(40003), crowd.page)
    run = go_on(work(start(account)))
    assert (run.state, run.seen_count, run.restart_count) == ("finished", 5, 1)


def test_lookups_have_a_budget_and_go_on_the_next_day(
    account: Account, server: ScriptedServer, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_syncs, "BATCH", 2)
    settings.WECHAT_FOLLOWER_LOOKUPS_PER_DAY = 2
    Crowd(server, 5)
    run = work(start(account))
    assert (run.state, run.identified_count, len(server.calls(BATCH))) == ("running", 4, 2)
    assert go_on(run).identified_count == 4
    FollowerSync.objects.update(lookups_on=clock.today() - dt.timedelta(days=1))
    assert go_on(run).state == "finished"
    assert run.identified_count == 5


def test_a_pass_pauses_goes_on_and_stops(account: Account, server: ScriptedServer) -> None:
    crowd = Crowd(server, 5)
    run = start(account)

    def pausing(seen: Seen) -> Reply:
        follower_syncs.pause_follower_sync(run_id=run.pk, actor=STAFF)
        connection.close()
        return crowd.page(seen)

    server.script(LIST, pausing)
    assert work(run).state == "paused"
    assert run.seen_count == 0  # the step that was fenced off is done again
    server.script(LIST, crowd.page)
    assert work(run).seen_count == 0
    follower_syncs.resume_follower_sync(run_id=run.pk, actor=STAFF)
    assert work(run).state == "finished"
    for act in (follower_syncs.pause_follower_sync, follower_syncs.stop_follower_sync):
        with pytest.raises(SyncOver):
            act(run_id=run.pk, actor=STAFF)
    other = start(account)
    follower_syncs.stop_follower_sync(run_id=other.pk, actor=STAFF)
    assert work(other).state == "stopped"


def test_two_workers_do_it_once(account: Account, server: ScriptedServer) -> None:
    Crowd(server, 9)
    run = start(account)
    at_once(4, lambda _: follower_syncs.work_follower_syncs())
    run.refresh_from_db()
    assert (run.state, run.seen_count, run.request_count) == ("finished", 9, 5)
    assert len(server.calls(LIST)) == 4


def test_two_starts_are_one_pass(account: Account) -> None:
    results = at_once(4, lambda _: start(account))
    assert sum(isinstance(result, SyncUnderWay) for result in results) == 3


def test_a_worker_killed_in_the_middle_of_a_page_costs_nothing(
    account: Account, server: ScriptedServer, settings: LazySettings
) -> None:
    crowd = Crowd(server, 7)
    run = start(account)
    followers.note_follow(account_id=account.pk, openid=crowd.openids[4], scene="", at=clock.now())
    statements = (
        "from django.conf import settings\n"
        f"settings.WECHAT_HOSTS = {settings.WECHAT_HOSTS!r}\n"
        "from wechat.services import follower_syncs\n"
        "follower_syncs.work_follower_syncs()"
    )
    row = {"openid": crowd.openids[4]}
    lock = "SELECT 1 FROM wechat_follower WHERE openid = %(openid)s FOR UPDATE"
    with killed_while_waiting(statements, lock=lock, values=row):
        run.refresh_from_db()
        # The second page's people are members already; its followers are not written, nor the place moved.
        assert (run.state, run.seen_count, Member.objects.count()) == ("running", 3, 6)
        assert run.lease_holder
        assert work(run).seen_count == 3  # the dead worker's lease still holds
    run = go_on(run)
    assert (run.state, run.seen_count, run.new_count) == ("finished", 7, 6)
    assert Member.objects.count() == Follower.objects.count() == 7


def test_who_was_erased_and_follows_on_stays_unknown_until_she_acts(
    account: Account, server: ScriptedServer
) -> None:
    crowd = Crowd(server, 4)
    assert work(start(account)).state == "finished"
    she = crowd.openids[1]
    member_id = selectors.find_member_id("openid", account.app_id, she)
    assert member_id is not None
    services.erase_member(member_id=member_id, reason="own_wish", actor=STAFF)
    again = work(start(account))
    assert (again.state, again.seen_count, again.new_count, again.lost_count) == ("finished", 4, 0, 0)
    assert selectors.find_member_id("openid", account.app_id, she) is None
    assert not Follower.objects.filter(openid=she).exists()
    # She follows anew: she is somebody new, and the list may name her.
    followers.note_follow(account_id=account.pk, openid=she, scene="", at=clock.now())
    assert not ForgottenFollower.objects.exists()
    work(start(account))
    assert selectors.find_member_id("openid", account.app_id, she) not in (None, member_id)


def test_who_was_erased_and_leaves_leaves_no_trace(account: Account, server: ScriptedServer) -> None:
    crowd = Crowd(server, 2)
    work(start(account))
    she = crowd.openids.pop()
    member_id = selectors.find_member_id("openid", account.app_id, she)
    assert member_id is not None
    services.erase_member(member_id=member_id, reason="own_wish", actor=STAFF)
    assert ForgottenFollower.objects.count() == 1
    assert she.encode() not in bytes(ForgottenFollower.objects.get().digest)
    followers.note_unfollow(account_id=account.pk, openid=she, at=clock.now())
    assert not ForgottenFollower.objects.exists()
    assert not Follower.objects.filter(openid=she).exists()


def test_tags_come_with_the_unionids(account: Account, server: ScriptedServer) -> None:
    crowd = Crowd(server, 3)
    tag = FollowerTag.objects.create(account=account, wechat_tag_id=100, name="老客", synced_at=clock.now())

    def batch(seen: Seen) -> Reply:
        asked = [user["openid"] for user in seen.json()["user_list"]]
        tags: dict[str, Any] = {crowd.openids[0]: [100, 999], crowd.openids[1]: "none"}
        return ok(user_info_list=[crowd.describe(one) | {"tagid_list": tags.get(one, [])} for one in asked])

    server.script(BATCH, batch)
    assert work(start(account)).state == "finished"
    assert list(taggings.carrier_openids(tag.pk)) == [crowd.openids[0]]
