"""Followers, uploads and the count of calls: what else goes out."""

import datetime as dt
from typing import Any, NamedTuple

import pytest

from core import clock, events
from core.errors import NotFound
from tests.wechat.gateway_out import OPENID, Sandbox, at_once, open_account
from tests.wechat.scripted_server import DROP, ScriptedServer, error, ok
from wechat.client.errors import UnreadableAnswer
from wechat.errors import MessageUnfit, WeChatAway, WeChatRefused
from wechat.events import FollowersIdentified
from wechat.models import Account, Follower, MediaHandle, OutboundCall
from wechat.services import clients, follower_lookup, media, quota

INFO = "/cgi-bin/user/info"
BATCH = "/cgi-bin/user/info/batchget"
UPLOAD = "/cgi-bin/media/upload"
JPEG = b"\xff\xd8\xff\xe0" + b"0" * 96


heard: list[Any] = []


class Heard(NamedTuple):
    app_id: str
    openid: str
    unionid: str


def hear(event: FollowersIdentified) -> None:
    heard.extend(Heard(event.app_id, *line.split(" ")) for line in event.people.split("\n"))


def refuse_to_hear(event: FollowersIdentified) -> None:
    raise ValueError("the handler's table is away")


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    heard.clear()
    monkeypatch.setitem(events._routes, FollowersIdentified, (f"{__name__}.hear",))
    return heard


# Followers ------------------------------------------------------------------------------------------------


def test_a_follower_is_looked_up(account: Account, server: ScriptedServer) -> None:
    server.script(INFO, ok(subscribe=1, openid=OPENID, unionid="u1"), ok(subscribe=0, openid=OPENID))
    first = follower_lookup.fetch_follower(account_id=account.pk, openid=OPENID)
    assert (first.openid, first.unionid, first.is_following) == (OPENID, "u1", True)
    second = follower_lookup.fetch_follower(account_id=account.pk, openid=OPENID)
    assert (second.unionid, second.is_following) == (None, False)


def test_a_look_up_that_fails_says_whether_to_come_back(account: Account, server: ScriptedServer) -> None:
    server.script(INFO, error(40003), DROP)
    with pytest.raises(WeChatRefused):
        follower_lookup.fetch_follower(account_id=account.pk, openid=OPENID)
    with pytest.raises(WeChatAway):
        follower_lookup.fetch_follower(account_id=account.pk, openid=OPENID)


def test_a_look_up_gives_up_early_on_system_busy(account: Account, server: ScriptedServer) -> None:
    server.script(INFO, error(-1))
    with pytest.raises(WeChatAway):
        follower_lookup.fetch_follower(account_id=account.pk, openid=OPENID)
    assert len(server.calls(INFO)) == 1


def follow(account: Account, count: int) -> None:
    Follower.objects.bulk_create(Follower(account=account, openid=f"o{number}") for number in range(count))


def test_followers_are_identified_in_batches_of_a_hundred(
    account: Account, server: ScriptedServer, published: list[Any]
) -> None:
    follow(account, 120)

    def answer(seen: Any) -> Any:
        openids = [user["openid"] for user in seen.json()["user_list"]]
        return ok(
            user_info_list=[
                {"openid": openid, "subscribe": 1, "unionid": f"u-{openid}"} for openid in openids
            ]
        )

    server.script(BATCH, answer)
    assert follower_lookup.identify_followers(limit=200) == 120
    assert len(server.calls(BATCH)) == 2
    assert len(published) == 120
    assert published[0] == Heard(account.app_id, "o0", "u-o0")
    assert follower_lookup.identify_followers() == 0


def test_a_follower_without_unionid_is_noted_and_not_announced(
    account: Account, server: ScriptedServer, published: list[Any]
) -> None:
    follow(account, 1)
    server.script(BATCH, ok(user_info_list=[{"openid": "o0", "subscribe": 1}]))
    assert follower_lookup.identify_followers() == 1
    assert published == []
    assert Follower.objects.get().identified_at is not None


def test_one_bad_openid_does_not_hold_up_the_others(
    account: Account, server: ScriptedServer, published: list[Any]
) -> None:
    follow(account, 3)
    server.script(BATCH, error(40003))
    server.script(
        INFO,
        lambda seen: (
            error(40003)
            if seen.query["openid"] == "o1"
            else ok(openid=seen.query["openid"], subscribe=1, unionid="u")
        ),
    )
    assert follower_lookup.identify_followers() == 3
    assert [event.openid for event in published] == ["o0", "o2"]
    assert not Follower.objects.filter(identified_at=None).exists()


def test_followers_wait_while_wechat_is_away(
    account: Account, server: ScriptedServer, published: list[Any]
) -> None:
    follow(account, 2)
    server.script(BATCH, DROP)
    assert follower_lookup.identify_followers() == 0
    assert Follower.objects.filter(identified_at=None).count() == 2


def test_an_account_that_is_refused_does_not_hold_up_the_next(
    account: Account, server: ScriptedServer, published: list[Any]
) -> None:
    second = open_account(slug="second", app_id="wxsecond")
    follow(account, 3)
    follow(second, 1)
    server.script(
        "/cgi-bin/stable_token",
        lambda seen: (
            error(40125) if seen.json()["appid"] == account.app_id else ok(access_token="t", expires_in=7200)
        ),
    )
    server.script(BATCH, ok(user_info_list=[{"openid": "o0", "subscribe": 1, "unionid": "u"}]))
    assert follower_lookup.identify_followers(limit=2) == 1
    assert [event.app_id for event in published] == ["wxsecond"]


def test_four_workers_note_a_follower_once_whatever_they_announce(
    account: Account, server: ScriptedServer, published: list[Any]
) -> None:
    follow(account, 1)
    server.script(BATCH, ok(user_info_list=[{"openid": "o0", "subscribe": 1, "unionid": "u"}]))
    counts = at_once(4, lambda _: follower_lookup.identify_followers())
    assert sum(counts) == 1
    assert set(published) == {Heard(account.app_id, "o0", "u")}


def test_a_follower_whose_handler_failed_is_announced_again(
    account: Account, server: ScriptedServer, published: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(account, 1)
    server.script(BATCH, ok(user_info_list=[{"openid": "o0", "subscribe": 1, "unionid": "u"}]))
    with monkeypatch.context() as broken:
        broken.setitem(events._routes, FollowersIdentified, (f"{__name__}.refuse_to_hear",))
        assert follower_lookup.identify_followers() == 0
    assert follower_lookup.identify_followers() == 1
    assert [event.unionid for event in published] == ["u"]


def test_mini_programs_and_switched_off_accounts_are_not_asked(
    account: Account, server: ScriptedServer
) -> None:
    mini = open_account(slug="mini", app_id="wxmini", kind="mini_program")
    off = open_account(slug="off", app_id="wxoff", is_active=False)
    follow(mini, 1)
    follow(off, 1)
    assert follower_lookup.identify_followers() == 0
    assert server.seen == []


def test_the_sandbox_identifies_its_people(
    sandbox: Sandbox, sandbox_account: Account, published: list[Any]
) -> None:
    _, openid = sandbox.follower()
    Follower.objects.create(account=sandbox_account, openid=openid)
    assert follower_lookup.fetch_follower(account_id=sandbox_account.pk, openid=openid).is_following
    assert follower_lookup.identify_followers() == 1
    assert published[0].openid == openid
    assert published[0].unionid


# Uploads --------------------------------------------------------------------------------------------------


def test_the_same_bytes_are_uploaded_once_per_account_and_kind(
    account: Account, server: ScriptedServer
) -> None:
    other = open_account(slug="other", app_id="wxother")
    server.script(UPLOAD, *(ok(media_id=f"m{number}") for number in range(4)))
    ids = [
        media.get_media_id(account_id=account.pk, source=JPEG),
        media.get_media_id(account_id=account.pk, source=JPEG),
        media.get_media_id(account_id=account.pk, source=JPEG, kind="image"),
        media.get_media_id(account_id=other.pk, source=JPEG),
    ]
    assert ids == ["m0", "m0", "m1", "m2"]
    assert b'filename="thumb.jpg"' in server.calls(UPLOAD)[0].body


def test_an_upload_is_renewed_before_wechat_forgets_it(account: Account, server: ScriptedServer) -> None:
    server.script(UPLOAD, ok(media_id="m0"), ok(media_id="m1"))
    media.get_media_id(account_id=account.pk, source=JPEG)
    handle = MediaHandle.objects.get()
    assert clock.now() < handle.expires_at < clock.now() + dt.timedelta(days=3)
    MediaHandle.objects.update(expires_at=clock.now())
    assert media.get_media_id(account_id=account.pk, source=JPEG) == "m1"


def test_no_picture_no_upload(account: Account, server: ScriptedServer) -> None:
    for source in (b"", b"<svg/>", JPEG * 1000, "../../etc/passwd", "/no/such/file.jpg"):
        with pytest.raises(MessageUnfit):
            media.get_media_id(account_id=account.pk, source=source)
    server.script(UPLOAD, ok())
    with pytest.raises(UnreadableAnswer):
        media.get_media_id(account_id=account.pk, source=JPEG)
    assert not MediaHandle.objects.exists()


# Clients and counts ---------------------------------------------------------------------------------------


def test_there_is_no_client_for_a_missing_or_switched_off_account(account: Account) -> None:
    Account.objects.update(is_active=False)
    for account_id in (account.pk, 999_999):
        with pytest.raises(NotFound):
            clients.client_for(account_id)


def test_calls_are_counted_by_day_account_and_path(account: Account) -> None:
    now = clock.now()

    def note(path: str, outcome: str, latency_ms: int, day: dt.date) -> None:
        OutboundCall.objects.create(
            account=account,
            path=path,
            outcome=outcome,
            latency_ms=latency_ms,
            called_at=now,
            called_on=day,
        )

    today, yesterday = clock.today(), clock.today() - dt.timedelta(days=1)
    for latency_ms in range(1, 101):
        note("/cgi-bin/user/get", "ok", latency_ms, today)
    note("/cgi-bin/user/get", "refused", 50, today)
    note("/cgi-bin/user/get", "timeout", 50, today)
    note("/cgi-bin/other", "ok", 7, today)
    note("/cgi-bin/user/get", "ok", 7, yesterday)
    first, second = quota.count_calls_by_day(today)
    assert (first.account_name, first.path, first.call_count) == ("小二服饰", "/cgi-bin/user/get", 102)
    assert (first.refused_count, first.failed_count, first.daily_limit, first.used_bp) == (1, 1, 500, 2040)
    assert first.median_ms == pytest.approx(50, abs=1)
    assert first.p95_ms == pytest.approx(95, abs=1)
    assert (second.call_count, second.daily_limit, second.used_bp) == (1, None, None)
    assert quota.count_calls_by_day(yesterday)[0].call_count == 1
    assert quota.count_calls_by_day(today + dt.timedelta(days=1)) == ()
