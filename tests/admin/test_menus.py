"""The desk of menus: the editor, publishing, what WeChat has, history."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from tests.cast import Cast
from tests.wechat.gateway_out import Sandbox
from wechat.models import Account, Follower, MenuVersion
from wechat.models.account import AccountKind
from wechat.services.menus import find_draft, save_menu_draft

CLICK = {"type": "click", "name": "积分", "key": "POINTS"}
VIEW = {"type": "view", "name": "商城", "url": "https://shop.example.com/"}
MINI_MENU = {"type": "click", "name": "别的", "key": "OTHER"}
LIST = "admin:wechat_menuversion_changelist"


def editor_of(account_id: int) -> str:
    return reverse("admin:wechat_menu_editor", args=[account_id])


def post(desk: Client, account_id: int, buttons: Any, **more: Any) -> Any:
    typed = {"buttons": buttons, "conditionals": more.pop("conditionals", [])}
    body = {"menus": json.dumps(typed), "revision": 0, "note": "双十二", "_save": "1", **more}
    return desk.post(editor_of(account_id), body)


def page_of(answer: Any) -> dict[str, Any]:
    page: dict[str, Any] = answer.context["page"]
    return page


def test_what_is_saved_is_a_draft_that_members_do_not_see(desk: Client, cast: Cast) -> None:
    assert post(desk, cast.account_id, [CLICK]).status_code == 302
    draft = find_draft(cast.account_id)
    assert draft is not None
    assert (draft.buttons, draft.note, draft.state) == ([CLICK], "双十二", "draft")
    body = desk.get(editor_of(cast.account_id)).content.decode()
    assert "正在编辑草稿（第 1 版）" in body
    assert "POINTS" in body


def test_errors_are_told_with_their_place_and_nothing_typed_is_lost(desk: Client, cast: Cast) -> None:
    wrong = {"name": "服务", "sub_button": [CLICK, {**VIEW, "url": "shop"}]}
    menu = {"tag_id": "", "tag_name": "金卡", "buttons": [CLICK]}
    answer = post(desk, cast.account_id, [wrong], conditionals=[menu])
    page = page_of(answer)
    assert [(one["menu"], one["path"], one["field"]) for one in page["problems"]] == [
        (0, [0, 1], "url"),
        (1, [], "tag_id"),
    ]
    assert (page["buttons"], page["conditionals"], page["note"]) == ([wrong], [menu], "双十二")
    assert "默认菜单 第 1 列 第 2 项：网址要以 https:// 或 http:// 开头" in answer.content.decode()
    assert not MenuVersion.objects.exists()


def test_a_draft_saved_meanwhile_is_not_overwritten(desk: Client, cast: Cast) -> None:
    post(desk, cast.account_id, [CLICK])
    answer = post(desk, cast.account_id, [VIEW])
    assert "有人保存过这份草稿" in answer.content.decode()
    assert page_of(answer)["buttons"] == [VIEW]
    draft = find_draft(cast.account_id)
    assert draft is not None
    assert draft.buttons == [CLICK]


@pytest.mark.parametrize("menus", ["", "[]", "null", "{", "[" * 100_000])
def test_what_is_no_menu_changes_nothing(desk: Client, cast: Cast, menus: str) -> None:
    answer = desk.post(editor_of(cast.account_id), {"menus": menus, "revision": "x"})
    assert "没有收到菜单内容" in answer.content.decode()
    assert not MenuVersion.objects.exists()


def test_texts_cannot_break_out_of_the_page(desk: Client, cast: Cast) -> None:
    save_menu_draft(
        account_id=cast.account_id,
        buttons=[{**VIEW, "url": "https://a.cn/</script><script>alert(1)</script>"}],
        actor=Actor.system("test"),
    )
    draft = find_draft(cast.account_id)
    assert draft is not None
    for url in (editor_of(cast.account_id), reverse("admin:wechat_menuversion_change", args=[draft.pk])):
        assert "<script>alert" not in desk.get(url).content.decode()


def test_only_official_accounts_have_an_editor(desk: Client, cast: Cast) -> None:
    assert desk.get(editor_of(0)).status_code == 404
    Account.objects.filter(pk=cast.account_id).update(kind=AccountKind.MINI_PROGRAM)
    assert desk.get(editor_of(cast.account_id)).status_code == 404


def test_publishing_asks_first_and_earlier_versions_come_back(
    desk: Client, sandbox_account: Account, sandbox: Sandbox
) -> None:
    first = save_menu_draft(account_id=sandbox_account.pk, buttons=[CLICK], actor=Actor.system("test"))
    publishing = reverse("admin:wechat_menu_publishing", args=[first.pk])
    assert "所有粉丝会看到的菜单：积分" in desk.get(publishing).content.decode()
    assert MenuVersion.objects.get().state == "draft"
    assert "已发布，粉丝最多 5 分钟后看到新菜单" in _confirm(desk, publishing)
    again = post(desk, sandbox_account.pk, [VIEW], _publish="1")
    assert "已发布" in _confirm(desk, again["Location"])
    row = desk.get(reverse("admin:wechat_menuversion_change", args=[first.pk])).content.decode()
    assert "恢复这一版…" in row
    _confirm(desk, reverse("admin:wechat_menu_restoring", args=[first.pk]))
    restored = find_draft(sandbox_account.pk)
    assert restored is not None
    assert (restored.number, restored.buttons) == (3, [CLICK])
    comparison = reverse("admin:wechat_menu_comparison", args=[sandbox_account.pk])
    assert "微信里的菜单和第 2 版一样" in desk.get(comparison).content.decode()
    sandbox.ask("PATCH", f"/accounts/{sandbox.app_id}", menu=[CLICK])
    body = desk.get(comparison).content.decode()
    assert "默认菜单 · 第 1 列" in body
    assert "再发布第 2 版…" in body


def test_wechats_refusal_is_told_on_the_page(
    desk: Client, sandbox_account: Account, sandbox: Sandbox
) -> None:
    draft = save_menu_draft(account_id=sandbox_account.pk, buttons=[CLICK], actor=Actor.system("test"))
    sandbox.fault("quota", "/cgi-bin/menu/create")
    body = _confirm(desk, reverse("admin:wechat_menu_publishing", args=[draft.pk]))
    assert "微信暂时没有响应" in body
    assert (
        "上次发布被微信拒绝（45009）"
        in desk.get(reverse("admin:wechat_menuversion_change", args=[draft.pk])).content.decode()
    )


def test_who_may_only_look_publishes_nothing(looker: Client, cast: Cast) -> None:
    draft = save_menu_draft(account_id=cast.account_id, buttons=[CLICK], actor=Actor.system("test"))
    page = looker.get(reverse("admin:wechat_menuversion_change", args=[draft.pk])).content.decode()
    assert "POINTS" in page
    assert "发布…" not in page
    for url in (
        editor_of(cast.account_id),
        reverse("admin:wechat_menu_publishing", args=[draft.pk]),
        reverse("admin:wechat_menu_restoring", args=[draft.pk]),
        reverse("admin:wechat_menu_sight", args=[cast.account_id]),
        reverse("admin:wechat_menu_removal", args=[cast.account_id]),
    ):
        assert looker.post(url, {"_confirmed": "1"}).status_code == 403


def test_the_list_leads_to_the_editor_of_an_account(desk: Client, cast: Cast) -> None:
    url = reverse(LIST)
    assert "编辑菜单" in desk.get(url).content.decode()
    answer = desk.get(f"{url}edit-menu/")
    assert answer["Location"] == editor_of(cast.account_id)
    Account.objects.update(is_active=False)
    assert desk.get(f"{url}edit-menu/")["Location"] == url


def test_removing_asks_why_tells_for_how_many_and_can_be_undone(
    desk: Client, sandbox_account: Account, sandbox: Sandbox
) -> None:
    draft = save_menu_draft(
        account_id=sandbox_account.pk,
        buttons=[CLICK],
        conditionals=[{"tag_id": "100", "tag_name": "金卡", "buttons": [VIEW]}],
        actor=Actor.system("test"),
    )
    _confirm(desk, reverse("admin:wechat_menu_publishing", args=[draft.pk]))
    page = reverse("admin:wechat_menuversion_change", args=[draft.pk])
    removal = reverse("admin:wechat_menu_removal", args=[sandbox_account.pk])
    assert removal in desk.get(page).content.decode()
    Follower.objects.create(
        account=sandbox_account, openid="o" + "1" * 27, is_following=True, followed_at=clock.now()
    )
    assert "1 位粉丝会看不到菜单" in desk.get(removal).content.decode()
    assert "必填项" in _confirm(desk, removal)  # nobody said why
    assert MenuVersion.objects.get().state == "published"
    body = _confirm(desk, removal, reason="换季")
    assert "微信里的菜单已删除" in body
    assert "恢复这一版…" in body
    assert removal not in body
    assert "换季" in AuditEntry.objects.get(action="wechat.menu.remove").details["reason"]


def test_what_one_follower_sees_is_asked_of_wechat_and_compared(
    desk: Client, sandbox_account: Account, sandbox: Sandbox
) -> None:
    sight = reverse("admin:wechat_menu_sight", args=[sandbox_account.pk])
    person, openid = sandbox.follower()

    def look(who: str) -> str:
        body: str = desk.post(sight, {"who": who}).content.decode()
        return body

    assert "还没有菜单" in look(openid)
    draft = save_menu_draft(
        account_id=sandbox_account.pk,
        buttons=[CLICK],
        conditionals=[{"tag_id": "100", "tag_name": "金卡", "buttons": [VIEW]}],
        actor=Actor.system("test"),
    )
    _confirm(desk, reverse("admin:wechat_menu_publishing", args=[draft.pk]))
    assert "和第 1 版的默认菜单一样" in look(openid)
    sandbox.ask("POST", f"/people/{person}/wear-tags", app_id=sandbox.app_id, tag_ids=[100])
    assert "标签「金卡」的个性化菜单一样" in look(openid)
    sandbox.ask("PATCH", f"/accounts/{sandbox.app_id}", menu=[MINI_MENU])
    sandbox.ask("POST", f"/people/{person}/wear-tags", app_id=sandbox.app_id, tag_ids=[])
    assert "哪个菜单都不一样" in look(openid)
    assert "没有这位粉丝" in look("o" + "x" * 27)
    assert "没有找到唯一一位" in look("小美")


def _confirm(desk: Client, url: str, **typed: str) -> str:
    body: str = desk.post(url, {"_confirmed": "1", **typed}, follow=True).content.decode()
    return body
