"""会话 in the assistant: who waits, one conversation, answering, for whom, at what cost; and what comes by itself."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client

from core import clock
from core.actor import Actor
from guides import services as guide_services
from guides.models import ConversationMessage
from tests.assistant.test_pulse import beat, since_of
from tests.cast import Cast, openid_of
from wechat.models import Follower, InboundEvent, OutboundMessage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

HTMX = {"HX-Request": "true"}
MINUTE = dt.timedelta(minutes=1)


def write(cast: Cast, text: str = "在吗", who: str = "xiaomei", *, ago: dt.timedelta = MINUTE) -> int:
    """Her push, worked off; the window is open for 48 hours from then."""
    at = clock.now() - ago
    raw = f"<xml><MsgType>text</MsgType><Content><![CDATA[{text}]]></Content></xml>"
    row = InboundEvent.objects.create(
        account_id=cast.account_id,
        dedupe_key=f"{who}{InboundEvent.objects.count()}",
        kind="text",
        openid=openid_of(who),
        received_at=at,
        raw=raw,
        state="processed",
    )
    Follower.objects.update_or_create(
        account_id=cast.account_id,
        openid=openid_of(who),
        defaults={"window_until": at + dt.timedelta(hours=48)},
    )
    kept = guide_services.keep_message(
        account_id=cast.account_id,
        app_id=cast.app_id,
        openid=openid_of(who),
        kind="text",
        inbound_id=row.pk,
        actor=Actor.wechat(),
        at=at,
    )
    assert kept is not None
    return kept


def send(client: Client, cast: Cast, text: str, key: str = "key-00000001") -> Any:
    address = f"/a/talks/{cast.xiaomei.public_id}/send/"
    return client.post(address, {"text": text, "request_key": key}, headers=HTMX)


def live(client: Client, cast: Cast, seen: str = "") -> Any:
    return client.get(f"/a/talks/{cast.xiaomei.public_id}/live/", {"seen": seen}, headers=HTMX)


@pytest.mark.parametrize("path", ["/a/", "/a/talks/", "/a/talks/{0}/", "/a/members/{0}/?tab=talk"])
def test_every_page_costs_few_queries_and_none_per_message(cast, log_in, django_assert_max_num_queries, path):
    for number in range(8):
        write(cast, f"第 {number} 句")
    client = log_in(cast.lina)
    client.get(path.format(cast.xiaomei.public_id))
    with django_assert_max_num_queries(12):
        answer = client.get(path.format(cast.xiaomei.public_id))
    assert answer.status_code == 200
    assert not re.search(r' style="| on[a-z]+="|<script>', answer.content.decode())


def test_home_and_list_tell_who_waits_and_how_long(cast, log_in):
    client = log_in(cast.lina)
    assert client.get("/a/").context["page"].talks is None
    write(cast, "在吗", ago=dt.timedelta(hours=2))
    write(cast, "<script>有没有 M 码</script>")
    tile = client.get("/a/").context["page"].talks
    assert (tile.text, tile.wait_text, tile.is_late) == ("1 位会员等您回复，2 条未读", "已等 2小时", True)
    answer = client.get("/a/talks/")
    (row,) = answer.context["page"].rows
    assert (row.words, row.wait_text, row.unread) == (
        "<script>有没有 M 码</script>",
        "已等 2小时",
        "2 条未读",
    )
    assert "<script>有没有" not in answer.content.decode()
    assert "都回复完了" in log_in(cast.wangfang).get("/a/talks/").content.decode()


def test_looking_reads_and_a_new_message_comes_by_itself(cast, log_in):
    write(cast)
    client = log_in(cast.lina)
    first = client.get(f"/a/talks/{cast.xiaomei.public_id}/").context["page"].part.live
    assert first.window_text.startswith("还能回复 47 小时 5")
    assert live(client, cast, first.seen).status_code == 204
    assert client.get("/a/").context["page"].talks.text == "1 位会员等您回复"
    write(cast, "还在吗", ago=dt.timedelta())
    answer = live(client, cast, first.seen)
    assert [bubble.words for bubble in answer.context["page"].bubbles] == ["在吗", "还在吗"]
    assert client.get("/a/").context["page"].talks.text == "1 位会员等您回复"
    assert live(client, cast, answer.context["page"].seen).status_code == 204


def test_an_answer_is_sent_once_and_shows_what_became_of_it(cast, log_in):
    write(cast)
    client = log_in(cast.lina)
    for _tap in range(2):
        part = send(client, cast, "在的，您说").context["page"]
    assert [bubble.words for bubble in part.live.bubbles] == ["在吗", "在的，您说"]
    assert part.live.bubbles[1].foot.endswith("发送中")
    assert not part.live.is_waiting
    OutboundMessage.objects.filter(reason_key__startswith="talk:").update(state="sent")
    assert live(client, cast, part.live.seen).context["page"].bubbles[1].foot.endswith("已发送")
    OutboundMessage.objects.update(state="dropped", outcome="not_follower")
    bubble = live(client, cast).context["page"].bubbles[1]
    assert bubble.foot.endswith("未送达")
    assert bubble.trouble == "对方没有关注"
    assert client.get("/a/").context["page"].talks is None


@pytest.mark.parametrize(
    ("text", "code"), [("  ", "guides.answer_empty"), ("好" * 700, "guides.answer_too_long")]
)
def test_what_cannot_be_sent_is_refused_and_the_page_keeps_it(cast, log_in, text, code):
    write(cast)
    assert send(log_in(cast.lina), cast, text).headers["X-Refusal"] == code
    assert send(log_in(cast.lina), cast, "好", key="").headers["X-Refusal"] == "core.invalid_input"
    assert ConversationMessage.objects.count() == 1


def test_after_the_window_it_says_so_and_can_only_be_settled(cast, log_in):
    write(cast, ago=dt.timedelta(hours=49))
    client = log_in(cast.lina)
    page = client.get(f"/a/talks/{cast.xiaomei.public_id}/").context["page"].part.live
    assert not page.is_open
    assert page.window_text.startswith("已过窗口")
    assert send(client, cast, "在的").headers["X-Refusal"] == "guides.window_closed"
    done = client.post(f"/a/talks/{cast.xiaomei.public_id}/settle/", headers=HTMX)
    assert not done.context["page"].live.is_waiting
    assert client.get("/a/").context["page"].talks is None


@pytest.mark.parametrize("path", ["", "live/"])
def test_a_stranger_and_an_unknown_one_are_the_same(cast, log_in, path):
    write(cast)
    client = log_in(cast.wangfang)
    assert client.get(f"/a/talks/{cast.xiaomei.public_id}/{path}").status_code == 404
    assert client.get(f"/a/talks/2222222222222222/{path}").status_code == 404
    assert send(client, cast, "在的").status_code == 404
    assert Client().get(f"/a/talks/{cast.xiaomei.public_id}/{path}").status_code == 302


def test_the_pulse_tells_every_page_of_a_message(cast, log_in):
    client = log_in(cast.lina)
    since = since_of(client, "/a/members/")
    write(cast)
    answer = beat(client, since=since, view="members")
    assert "发来消息" in answer.content.decode()
    assert f"/a/talks/{cast.xiaomei.public_id}/" in answer.content.decode()
