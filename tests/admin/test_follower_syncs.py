"""The desk of passes over all followers."""

import datetime as dt

from django.test import Client
from django.urls import reverse

from core import clock
from tests.cast import Cast
from wechat.models import FollowerSync

LIST = "admin:wechat_followersync_changelist"


def _page(desk: Client, verb: str = "change") -> str:
    run = FollowerSync.objects.get()
    return desk.get(reverse(f"admin:wechat_followersync_{verb}", args=[run.pk])).content.decode()


def test_a_pass_is_started_paused_resumed_and_stopped(desk: Client, cast: Cast) -> None:
    start = reverse("admin:wechat_followersync_start")
    assert "不会发送任何消息" in desk.get(start).content.decode()
    confirmed = {"_confirmed": "1", "account": cast.account_id}
    assert desk.post(start, confirmed).status_code == 302
    run = FollowerSync.objects.get()
    assert "还没有结束" in desk.post(start, confirmed).content.decode()
    for verb, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        url = reverse(f"admin:wechat_followersync_{verb}", args=[run.pk])
        assert desk.post(url, {"_confirmed": "1"}).status_code == 302
        run.refresh_from_db()
        assert run.state == state
    again = desk.post(
        reverse("admin:wechat_followersync_resume", args=[run.pk]), {"_confirmed": "1"}
    ).content.decode()
    assert "状态已经变了" in again


def test_the_page_says_how_far_how_fast_and_what_to_do(desk: Client, cast: Cast) -> None:
    now = clock.now()
    run = FollowerSync.objects.create(
        account_id=cast.account_id,
        started_at=now - dt.timedelta(minutes=2),
        phase_started_at=now - dt.timedelta(minutes=2),
        moved_at=now,
        total_count=100_000,
        seen_count=40_000,
    )
    body = _page(desk)
    missing = ("40,000 / 100,000", "每分钟 20,000 位", "预计", "/ 500")
    assert [words for words in missing if words not in body] == []
    FollowerSync.objects.filter(pk=run.pk).update(
        state="failed", trouble_code="wechat.ip_refused", trouble_errcode=40164
    )
    body = _page(desk)
    assert [words for words in ("40164", "IP 白名单", "出错停下") if words not in body] == []
    assert "出错停下" in desk.get(reverse(LIST)).content.decode()
    pause, resume = (
        reverse(f"admin:wechat_followersync_{verb}", args=[run.pk]) for verb in ("pause", "resume")
    )
    assert (pause in body, resume in body) == (False, True)
    FollowerSync.objects.filter(pk=run.pk).update(state="stopped", ended_at=now)
    assert resume not in _page(desk)


def test_a_running_pass_shows_its_own_progress_and_the_page_comes_anew_at_its_end(
    desk: Client, cast: Cast
) -> None:
    started = desk.post(
        reverse("admin:wechat_followersync_start"), {"_confirmed": "1", "account": cast.account_id}
    )
    run = FollowerSync.objects.get()
    assert started.headers["Location"] == reverse("admin:wechat_followersync_change", args=[run.pk])
    progress = reverse("admin:wechat_followersync_progress", args=[run.pk])
    assert (progress in _page(desk), "马上开始" in _page(desk)) == (True, True)
    for changes, percent in (
        ({"total_count": 100_000, "seen_count": 40_000}, 40),
        ({"phase": "identifying", "new_count": 0, "identified_count": 0}, 0),
        ({"new_count": 90_000, "identified_count": 30_000}, 33),
    ):
        FollowerSync.objects.filter(pk=run.pk).update(**changes)
        answer = desk.get(progress)
        assert f'aria-valuenow="{percent}"' in answer.content.decode()
        assert "HX-Refresh" not in answer.headers
    FollowerSync.objects.filter(pk=run.pk).update(state="finished", ended_at=clock.now())
    assert desk.get(progress).headers["HX-Refresh"] == "true"
    assert progress not in _page(desk)
    assert desk.get(reverse("admin:wechat_followersync_progress", args=[0])).status_code == 404
