"""The desk of mass messages: written, shown to a colleague, confirmed by another person, and what came of it."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import Settings

from campaigns import services
from campaigns.contracts import MassDraft
from campaigns.models import MassMessage, ReachPolicy
from core import clock
from core.actor import Actor
from core.models import StaffAccount
from guides.models import GuideLogin
from tests.campaigns import mass_kit as kit
from tests.campaigns.kit import World, make_world
from tests.cast import APP_ID, Cast
from tests.wechat.gateway_out import Sandbox
from tests.wechat.scripted_server import error, in_wechats_place, ok
from wechat.contracts import MassContent
from wechat.models import Account, Follower
from wechat.services.mass import ALL_PATH, LIST_PATH, PREVIEW_PATH

LIST, ADD = (reverse(f"admin:campaigns_massmessage_{name}") for name in ("changelist", "add"))
DRAFTS = "/cgi-bin/draft/batchget"
PNG = b"\x89PNG\r\n\x1a\n"
TYPED = {"name": "周年庆", "kind": "text", "text": "周年庆开始了", "audience": "list", "purpose": "normal"}


@pytest.fixture
def world(transactional_db: None, cast: Cast, settings: Settings) -> Iterator[World]:
    """Both members follow; WeChat takes what it is given and has one draft of an article."""
    with in_wechats_place(settings) as server:
        made = make_world(cast, server)
        kit.follow(made, cast.xiaoli_openid)
        taken = ok(errcode=0, errmsg="ok", msg_id=9001)
        for path in (ALL_PATH, LIST_PATH, PREVIEW_PATH):
            server.script(path, taken)
        drafts = [{"media_id": "D1", "content": {"news_item": [{"title": "秋装上新"}, {"title": "搭配"}]}}]
        server.script(DRAFTS, ok(item=drafts))
        yield made


@pytest.fixture
def colleague() -> Client:
    """A second person of head office."""
    client = Client()
    client.force_login(StaffAccount.objects.create_superuser("second"))
    return client


def url(name: str, message: MassMessage, *more: str) -> str:
    return reverse(f"admin:campaigns_{name}", args=[message.pk, *more])


def page(client: Client, message: MassMessage) -> str:
    return client.get(url("massmessage_change", message)).content.decode()


def both(cast: Cast) -> str:
    return f"{cast.xiaomei_openid}\n{cast.xiaoli.code}\n13800000000"


def confirm(client: Client, message: MassMessage, **more: Any) -> str:
    sent = {"_confirmed": "1", "revision": kit.fresh(message).revision, "send_at": "", **more}
    return client.post(url("mass_confirm", message), sent, follow=True).content.decode()


def test_written_previewed_confirmed_by_another_and_sent(
    world: World, desk: Client, colleague: Client
) -> None:
    cast = world.cast
    form = desk.get(ADD).content.decode()
    assert [words for words in ("素衣", "不收小程序卡片") if words not in form] == []
    drafts = reverse("admin:campaigns_mass_drafts", args=[cast.account_id])
    assert "秋装上新（共 2 篇）" in desk.get(drafts).content.decode()
    answer = desk.post(ADD, {**TYPED, "pasted": both(cast)})
    message = MassMessage.objects.get()
    assert answer.headers["Location"] == url("massmessage_change", message)
    body = page(desk, message)
    wanted = ("名单里能发的粉丝 2 位", "本月已从这里发出", "没有这位会员", "第 3 行", "请另一位有权限的同事")
    assert [words for words in wanted if words not in body] == []
    assert url("mass_confirm", message) not in body

    GuideLogin.objects.create(
        guide_id=cast.lina.id, app_id=APP_ID, openid="oguide_lina_00000000000001", activated_at=clock.now()
    )
    assert "李娜" in page(desk, message)
    desk.post(url("massmessage_change", message), {"guide": cast.lina.id})
    assert world.server.calls(PREVIEW_PATH)[0].json()["touser"] == "oguide_lina_00000000000001"
    assert "这一版已经预览过" in page(desk, message)

    assert "不能自己确认" in confirm(desk, message)
    asked = colleague.get(url("mass_confirm", message)).content.decode()
    assert [words for words in ("名单里能发的粉丝 2 位", "发出后收不回来") if words not in asked] == []
    assert "已确认，正在发送" in confirm(colleague, message)
    kit.work(message)
    kit.told(world, total_count=2)
    body = page(desk, message)
    assert [words for words in ("已发完", "收到", "编写", "确认") if words not in body] == []
    assert "已发完" in desk.get(LIST).content.decode()


def test_each_kind_and_audience_needs_its_part(world: World, desk: Client) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"text": " "}, "请填写要发的文字"),
        ({"text": "字" * 700}, "大约要删掉"),
        ({"text": '<a href="x'}, "链接没有写完整"),
        ({"kind": "image"}, "请上传要发的图片"),
        ({"kind": "image", "picture": SimpleUploadedFile("a.txt", b"no picture")}, "不是图片"),
        ({"kind": "article"}, "请选择一篇图文"),
        ({"kind": "miniprogrampage"}, "选"),
        ({"audience": "tag"}, "请选择标签"),
        ({"pasted": ""}, "请上传名单"),
        ({"name": ""}, "必填"),
        ({"file": SimpleUploadedFile("a.xlsx", PNG)}, "只能导入 CSV"),
    ]
    for change, words in cases:
        answer = desk.post(ADD, {**TYPED, "pasted": both(world.cast), **change})
        assert answer.status_code == 200, change
        assert words in answer.content.decode(), change
    assert not MassMessage.objects.exists()


def test_drafts_that_cannot_be_read_leave_the_number_to_type(world: World, desk: Client) -> None:
    world.server.script(DRAFTS, error(48001))
    drafts = reverse("admin:campaigns_mass_drafts", args=[world.cast.account_id])
    assert "没有读到草稿箱" in desk.get(drafts).content.decode()
    article = {**TYPED, "kind": "article", "article_id": "D7", "audience": "all"}
    assert desk.post(ADD, article).status_code == 302
    assert MassMessage.objects.get().article_media_id == "D7"


def test_an_edit_keeps_picture_and_list_and_what_somebody_saved_meanwhile(
    world: World, desk: Client, settings: Settings, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    picture = SimpleUploadedFile("p.png", _png(), "image/png")
    desk.post(ADD, {**TYPED, "kind": "image", "picture": picture, "pasted": both(world.cast)})
    message = MassMessage.objects.get()
    edit = url("mass_edit", message)
    assert "有 2 位" in desk.get(edit).content.decode()
    typed = {**TYPED, "kind": "image", "name": "改了名", "revision": 1}
    assert desk.post(edit, typed).status_code == 302
    changed = kit.fresh(message)
    assert (changed.name, changed.picture.name, changed.recipients.count()) == (
        "改了名",
        message.picture.name,
        2,
    )
    stale = desk.post(edit, typed).content.decode()
    assert "有变化" in stale
    assert 'value="改了名"' in stale


def test_the_page_offers_what_the_state_allows(world: World, desk: Client, colleague: Client) -> None:
    message = kit.write(world, content=MassContent("article", media_id="D1"))
    assert "90 天以内" in confirm(colleague, message, send_at="2020-01-01T10:00")
    for state, verbs in (
        ("confirmed", {"recall"}),
        ("failed", {"recall"}),
        ("uncertain", {"ask-again", "copy"}),
        ("rejected", {"copy"}),
        ("finished", {"delete", "copy"}),
        ("draft", {"drop"}),
    ):
        MassMessage.objects.filter(pk=message.pk).update(
            state=state,
            message_id="9001",
            client_msg_id="k",
            confirmed_at=clock.now(),
            send_until=clock.now(),
            first_tried_at=clock.now(),
        )
        body = page(desk, message)
        offered = {
            verb
            for verb in ("recall", "drop", "ask-again", "delete", "copy")
            if url("mass_do", message, verb) in body
        }
        assert offered == verbs, state
    world.server.script("/cgi-bin/message/mass/delete", error(40059))
    MassMessage.objects.filter(pk=message.pk).update(state="finished")
    refused = desk.post(url("mass_do", message, "delete"), {"_confirmed": "1"}).content.decode()
    assert "微信拒绝" in refused
    copied = desk.post(url("mass_do", message, "copy"), {"_confirmed": "1"}, follow=True)
    assert "这是新的草稿" in copied.content.decode()
    MassMessage.objects.filter(pk=message.pk).update(state="draft")
    assert desk.post(url("mass_do", message, "drop"), {"_confirmed": "1"}).status_code == 302
    assert kit.fresh(message).state == "dropped"
    assert desk.get(url("mass_do", message, "dance")).status_code == 403
    assert desk.get(url("mass_edit", message)).status_code == 403


def test_rights_are_apart_and_a_region_writes_to_its_own_members(world: World) -> None:
    cast = world.cast
    east = Client()
    east.force_login(cast.regional)
    message = kit.write(world)
    for target in (ADD, url("massmessage_change", message), url("mass_confirm", message)):
        assert east.get(target).status_code in (302, 403), target
    names = ("add_massmessage", "view_massmessage", "change_massmessage")
    cast.regional.user_permissions.set(Permission.objects.filter(codename__in=names))
    assert east.get(url("mass_confirm", message)).status_code == 403
    assert "周年庆" not in east.get(LIST).content.decode()
    assert "要由总部来写" in east.post(ADD, {**TYPED, "audience": "all"}).content.decode()
    east.post(ADD, {**TYPED, "pasted": both(cast)})
    own = MassMessage.objects.latest("pk")
    assert list(own.recipients.values_list("openid", flat=True)) == [cast.xiaomei_openid]
    assert "没有这位会员，或不归您查看" in page(east, own)
    assert east.get(url("mass_confirm", own)).status_code == 403


def test_the_whole_way_through_the_sandbox(sandbox: Sandbox, sandbox_account: Account) -> None:
    """Both followers have it in their chats, once, although the first answer was lost."""
    ReachPolicy.objects.update_or_create(
        pk=1, defaults={"is_quiet_on": False, "quiet_from": "22:00", "quiet_until": "08:30"}
    )
    people = [sandbox.follower(name) for name in ("小美", "小丽")]
    sandbox.ask(
        "PUT",
        f"/accounts/{sandbox.app_id}/drafts",
        drafts=[{"media_id": "D1", "articles": [{"title": "秋装上新"}]}],
    )
    message = services.save_mass_message(
        draft=MassDraft(
            account_id=sandbox_account.pk,
            name="秋装",
            content=MassContent("article", media_id="D1"),
            audience="all",
        ),
        actor=Actor.staff(1, "运营"),
    )
    for _person, openid in people:
        Follower.objects.create(account=sandbox_account, openid=openid)
    outcome = services.preview_mass_message(message_id=message.pk, openid=people[0][1], actor=kit.WRITER)
    assert outcome.state == "sent"
    sandbox.fault("accept_then_drop", "/cgi-bin/message/mass/sendall", times=1)
    message = kit.work(kit.confirm(message))
    assert message.state == "sending"
    message = kit.again(message)
    assert message.state == "sent"

    def chat(person_id: str) -> list[str]:
        bubbles = sandbox.ask("GET", f"/people/{person_id}/chat?app_id={sandbox.app_id}")["bubbles"]
        return [one["via"] for one in bubbles if one["via"].startswith("mass")]

    assert [chat(person_id) for person_id, _openid in people] == [["mass_preview", "mass"], ["mass"]]
    pushed = [one for one in sandbox.ask("GET", "/pushes")["pushes"] if one["event"] == "MASSSENDJOBFINISH"]
    assert [str(one["fields"]["MsgID"]) for one in pushed if one["app_id"] == sandbox.app_id] == [
        message.message_id
    ]
    services.delete_mass_message(message_id=message.pk, actor=kit.SECOND)
    assert kit.fresh(message).deleted_at is not None


def _png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(stream, "PNG")
    return stream.getvalue()
