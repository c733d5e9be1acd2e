"""Menus: every limit in words, drafts and going back, publishing that breaks off anywhere, and what WeChat has beside ours."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from core import clock
from core.actor import Actor
from core.errors import Conflict, NotFound
from core.models import AuditEntry
from tests.wechat.gateway_out import Sandbox
from tests.wechat.scripted_server import DROP, FINE, HTML, Reply, ScriptedServer, Seen, error, ok
from wechat.errors import MenuBusy, MenuSuperseded, MenuUnfit, NotAnOfficialAccount, WeChatAway, WeChatRefused
from wechat.models import Account, MenuLease, MenuVersion
from wechat.services.menu_comparing import compare_menu
from wechat.services.menu_leases import is_publishing
from wechat.services.menu_publishing import publish_menu
from wechat.services.menu_removing import find_menu_of, remove_menu
from wechat.services.menus import find_draft, find_newest_in_use, restore_version, save_menu_draft

CREATE, GET = "/cgi-bin/menu/create", "/cgi-bin/menu/get"
ADD, REMOVE = "/cgi-bin/menu/addconditional", "/cgi-bin/menu/delconditional"
CURRENT = "/cgi-bin/get_current_selfmenu_info"
STAFF = Actor.staff(1, "总部")
CLICK = {"type": "click", "name": "积分", "key": "POINTS"}
VIEW = {"type": "view", "name": "商城", "url": "https://shop.example.com/"}
MINI = {
    "type": "miniprogram",
    "name": "会员码",
    "appid": "wxmini000000000001",
    "pagepath": "pages/code",
    "url": "https://shop.example.com/",
}


def below(*buttons: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": "服务", "sub_button": list(buttons)}]


def for_tag(tag_id: str, *buttons: dict[str, Any]) -> dict[str, Any]:
    return {"tag_id": tag_id, "tag_name": f"标签{tag_id}", "buttons": list(buttons)}


def draft(account: Account, *buttons: dict[str, Any], conditionals: Any = (), **more: Any) -> MenuVersion:
    return save_menu_draft(
        account_id=account.pk, buttons=list(buttons), conditionals=conditionals, actor=STAFF, **more
    )


def publish(version: MenuVersion) -> tuple[str, int, int, int | None]:
    done = publish_menu(version_id=version.pk, actor=STAFF)
    return done.state, done.added_count, done.removed_count, done.errcode


def state_of(version: MenuVersion) -> str:
    return MenuVersion.objects.get(pk=version.pk).state


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wechat.client.gateway.BUSY_PAUSES_S", ())


@pytest.mark.parametrize(
    ("buttons", "codes"),
    [
        ([], ["no_buttons"]),
        ("x", ["no_buttons"]),
        ([CLICK] * 4, ["too_many_buttons"]),
        (below(*[CLICK] * 6), ["too_many_below"]),
        ([{**CLICK, "name": " \x00 "}], ["name_missing"]),
        ([{**CLICK, "name": "一二三四五六"}], ["name_too_long"]),
        (below({**CLICK, "name": "字" * 21}), ["name_too_long"]),
        ([{**CLICK, "type": "dance"}], ["kind_missing"]),
        ([7], ["name_missing", "kind_missing"]),
        (below({"name": "再往下", "sub_button": [CLICK]}), ["kind_missing"]),
        ([{**CLICK, "key": ""}], ["key_missing"]),
        ([{**CLICK, "key": "钥" * 43}], ["key_too_long"]),
        ([{**VIEW, "url": ""}], ["url_missing"]),
        ([{**VIEW, "url": "shop.example.com"}], ["url_unfit"]),
        ([{**VIEW, "url": "https://[bad"}], ["url_unfit"]),
        ([{**VIEW, "url": "https://a.cn/" + "x" * 1012}], ["url_too_long"]),
        (
            [{**MINI, "appid": "gh_1", "pagepath": "", "url": "x"}],
            ["appid_unfit", "pagepath_missing", "url_unfit"],
        ),
        ([{"type": "media_id", "name": "图"}], ["media_id_missing"]),
    ],
)
def test_every_limit_of_a_menu_has_a_code_and_a_sentence(
    account: Account, buttons: Any, codes: list[str]
) -> None:
    with pytest.raises(MenuUnfit) as refused:
        save_menu_draft(account_id=account.pk, buttons=buttons, actor=STAFF)
    problems = refused.value.details["problems"]
    assert [one["code"] for one in problems] == codes
    assert all(one["message"] for one in problems)
    assert not MenuVersion.objects.exists()


@pytest.mark.parametrize(
    ("conditionals", "codes"),
    [
        ([for_tag("", CLICK)], ["tag_missing"]),
        ([for_tag("１００", CLICK)], ["tag_missing"]),
        ([for_tag("100", CLICK), for_tag("100", VIEW)], ["tag_twice"]),
        ([for_tag("100")], ["no_buttons"]),
        ([for_tag(str(n), CLICK) for n in range(11)], ["too_many_conditionals"]),
        (
            [for_tag("100", *below(*[{**VIEW, "url": f"https://{n}.cn/"} for n in range(4)]))],
            ["too_many_domains"],
        ),
        ([5], ["tag_missing", "no_buttons"]),
    ],
)
def test_every_limit_of_conditional_menus_too(account: Account, conditionals: Any, codes: list[str]) -> None:
    with pytest.raises(MenuUnfit) as refused:
        draft(account, CLICK, conditionals=conditionals)
    assert [one["code"] for one in refused.value.details["problems"]] == codes


def test_a_problem_says_where_it_is(account: Account) -> None:
    with pytest.raises(MenuUnfit) as refused:
        draft(account, CLICK, conditionals=[for_tag("100", *below(CLICK, {**VIEW, "url": ""}))])
    problem = refused.value.details["problems"][0]
    assert (problem["menu"], problem["path"], problem["field"]) == (1, [0, 1], "url")


def test_what_the_rules_let_pass_wechat_takes(sandbox_account: Account, sandbox: Sandbox) -> None:
    full = {"name": "一二三四五", "sub_button": [{**CLICK, "name": "字" * 20, "key": "k" * 128}] * 5}
    long = {**VIEW, "url": "https://a.cn/" + "x" * 1011}
    menus = [for_tag(str(number), MINI) for number in range(10)]
    version = draft(sandbox_account, full, long, MINI, conditionals=menus)
    assert publish(version) == ("published", 10, 0, None)
    assert compare_menu(account_id=sandbox_account.pk).state == "same"


def test_a_draft_is_saved_over_itself_and_not_over_somebody_else(account: Account) -> None:
    first = draft(account, CLICK, revision=0)
    again = draft(account, VIEW, revision=1)
    assert (again.pk, again.number, again.revision) == (first.pk, 1, 2)
    for stale in (0, 1):
        with pytest.raises(Conflict):
            draft(account, MINI, revision=stale)
    assert find_draft(account.pk).buttons == [VIEW]  # type: ignore[union-attr]


def test_only_an_official_account_that_exists_has_menus(account: Account) -> None:
    Account.objects.update(kind="mini_program")
    with pytest.raises(NotAnOfficialAccount):
        draft(account, CLICK)
    with pytest.raises(NotFound):
        save_menu_draft(account_id=0, buttons=[CLICK], actor=STAFF)
    for call in (restore_version, publish_menu):
        with pytest.raises(NotFound):
            call(version_id=0, actor=STAFF)


def test_members_see_the_first_menu_that_fits_and_nothing_of_the_version_before(
    sandbox_account: Account, sandbox: Sandbox
) -> None:
    person, _openid = sandbox.follower()
    sandbox.ask("POST", f"/people/{person}/wear-tags", app_id=sandbox.app_id, tag_ids=[100, 101])

    def hers() -> Any:
        return sandbox.ask("GET", f"/people/{person}/chat?app_id={sandbox.app_id}")["menu"]["button"]

    first = draft(sandbox_account, CLICK, conditionals=[for_tag("101", VIEW), for_tag("100", MINI)])
    assert publish(first) == ("published", 2, 0, None)
    assert hers() == [VIEW]
    second = draft(sandbox_account, MINI, conditionals=[for_tag("100", CLICK)])
    assert publish(second) == ("published", 1, 2, None)
    assert hers() == [CLICK]
    assert (state_of(first), state_of(second)) == ("superseded", "published")
    third = draft(sandbox_account, VIEW)
    assert publish(third) == ("published", 0, 1, None)
    assert hers() == [VIEW]


def test_any_earlier_version_comes_back_as_a_draft_and_is_published(
    sandbox_account: Account, sandbox: Sandbox
) -> None:
    first = draft(sandbox_account, CLICK, conditionals=[for_tag("100", MINI)])
    publish(first)
    publish(draft(sandbox_account, VIEW))
    with pytest.raises(MenuSuperseded):
        publish(first)
    draft(sandbox_account, MINI)
    back = restore_version(version_id=first.pk, actor=STAFF)
    assert (back.number, back.state, back.buttons) == (3, "draft", [CLICK])
    assert restore_version(version_id=back.pk, actor=STAFF).pk == back.pk
    assert publish(back) == ("published", 1, 0, None)
    assert compare_menu(account_id=sandbox_account.pk).state == "same"
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions.count("wechat.menu.restore") == 1
    assert actions.count("wechat.menu.publish") == 3


@pytest.mark.parametrize(
    ("code", "refusal"), [(40018, WeChatRefused), (48001, WeChatRefused), (45009, WeChatAway)]
)
def test_what_wechat_refuses_stays_a_draft(
    account: Account, server: ScriptedServer, code: int, refusal: type[Exception]
) -> None:
    version = draft(account, CLICK)
    server.script(CREATE, error(code))
    with pytest.raises(refusal):
        publish(version)
    version.refresh_from_db()
    assert (version.state, version.errcode, is_publishing(account.pk)) == ("draft", code, False)


def test_a_refused_draft_gives_way_to_one_begun_meanwhile(account: Account, server: ScriptedServer) -> None:
    version = draft(account, CLICK)

    def begin_another(_seen: Seen) -> Reply:
        try:
            draft(account, VIEW)
        finally:
            connection.close()
        return error(40018)

    server.script(CREATE, begin_another)
    with pytest.raises(WeChatRefused):
        publish(version)
    assert state_of(version) == "superseded"
    assert find_draft(account.pk).buttons == [VIEW]  # type: ignore[union-attr]


@pytest.mark.parametrize("lost", [DROP, HTML, error(-1)])
def test_nobody_knows_after_a_lost_answer_and_publishing_again_mends_it(
    account: Account, server: ScriptedServer, lost: Reply
) -> None:
    server.script(GET, ok(menu={"button": [CLICK]}))
    server.script(CREATE, FINE)
    before = draft(account, VIEW)
    publish(before)
    version = draft(account, CLICK)
    server.script(CREATE, lost)
    assert publish(version)[0] == "unclear"
    assert (state_of(version), state_of(before)) == ("unclear", "published")
    assert find_newest_in_use(account.pk).pk == version.pk  # type: ignore[union-attr]
    server.script(CREATE, FINE)
    assert publish(version) == ("published", 0, 0, None)
    assert state_of(before) == "superseded"


@pytest.mark.parametrize("broken", [DROP, error(65305), error(45009)])
def test_breaking_off_among_the_conditional_menus_is_told_and_mended(
    account: Account, server: ScriptedServer, broken: Reply
) -> None:
    version = draft(account, CLICK, conditionals=[for_tag("100", VIEW), for_tag("101", MINI)])
    server.script(CREATE, FINE)
    server.script(GET, ok(menu={"button": [CLICK]}, conditionalmenu=[{"menuid": 7}]))
    server.script(ADD, ok(menuid="8"), broken)
    state, added, removed, _errcode = publish(version)
    assert (state, added, removed, state_of(version)) == ("partial", 1, 0, "partial")
    server.script(GET, ok(menu={"button": [CLICK]}, conditionalmenu=[{"menuid": 8}, {"menuid": 7}]))
    server.script(ADD, ok(menuid="9"))
    server.script(REMOVE, error(65301), FINE)
    assert publish(version) == ("published", 2, 2, None)
    assert [seen.json()["menuid"] for seen in server.calls(REMOVE)] == ["8", "7"]
    assert [seen.json()["matchrule"]["tag_id"] for seen in server.calls(ADD)] == ["101", "100", "101", "100"]


def test_without_room_for_both_the_old_ones_go_first(account: Account, server: ScriptedServer) -> None:
    version = draft(account, CLICK, conditionals=[for_tag("100", VIEW)])
    server.script(CREATE, FINE)
    listed = [{"menuid": str(number)} for number in range(20)]
    server.script(GET, ok(menu={"button": [CLICK]}, conditionalmenu=listed))
    server.script(ADD, ok(menuid="99"))
    server.script(REMOVE, FINE)
    assert publish(version) == ("published", 1, 20, None)
    paths = [seen.path for seen in server.seen if seen.path in (ADD, REMOVE)]
    assert paths == [REMOVE] * 20 + [ADD]


def test_one_of_two_publishers_at_once_is_turned_away(
    account: Account, server: ScriptedServer, settings: Settings
) -> None:
    settings.WECHAT_TIMEOUT_S = 30
    version = draft(account, CLICK)
    arrived, go_on = threading.Event(), threading.Event()

    def wait(_seen: Seen) -> Reply:
        arrived.set()
        go_on.wait(30)
        return FINE

    server.script(CREATE, wait)
    server.script(GET, ok(menu={"button": [CLICK]}))
    ends: list[object] = []

    def first() -> None:
        try:
            ends.append(publish(version))
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert arrived.wait(30)
        with pytest.raises(MenuBusy):
            publish(version)
    finally:
        go_on.set()
        thread.join(30)
    assert ends == [("published", 0, 0, None)]
    assert len(server.calls(CREATE)) == 1


def test_who_lost_the_lease_meanwhile_writes_nothing(account: Account, server: ScriptedServer) -> None:
    version = draft(account, CLICK)

    def take_over(_seen: Seen) -> Reply:
        MenuLease.objects.filter(pk=account.pk).update(holder="another")
        connection.close()
        return FINE

    server.script(CREATE, take_over)
    with pytest.raises(MenuBusy):
        publish(version)
    assert state_of(version) == "unclear"
    assert MenuLease.objects.get().holder == "another"


def test_what_a_dead_process_left_is_published_again(account: Account, server: ScriptedServer) -> None:
    version = draft(account, CLICK)
    MenuVersion.objects.update(state="unclear")
    MenuLease.objects.create(account=account, holder="dead", leased_until="2020-01-01T00:00:00Z")
    server.script(CREATE, FINE)
    server.script(GET, ok(menu={"button": [CLICK]}))
    assert publish(version) == ("published", 0, 0, None)


def test_the_comparison_says_where_the_two_differ(sandbox_account: Account, sandbox: Sandbox) -> None:
    account_id = sandbox_account.pk
    assert compare_menu(account_id=account_id).state == "unpublished"
    publish(draft(sandbox_account, *below(CLICK, VIEW), conditionals=[for_tag("100", MINI)]))
    changed = below(CLICK, {**VIEW, "name": "旗舰店"}, MINI)
    sandbox.ask("PATCH", f"/accounts/{sandbox.app_id}", menu=changed)
    found = compare_menu(account_id=account_id)
    assert (found.state, found.is_open, found.version_number) == ("differs", True, 1)
    assert [(one.where, bool(one.ours), bool(one.theirs)) for one in found.differences] == [
        ("默认菜单 · 第 1 列第 2 项", True, True),
        ("默认菜单 · 第 1 列第 3 项", False, True),
    ]
    sandbox.ask("PATCH", f"/accounts/{sandbox.app_id}", menu=[], console_menu=below(VIEW))
    found = compare_menu(account_id=account_id)
    assert (found.state, found.theirs) == ("console", below(VIEW))
    sandbox.ask("PATCH", f"/accounts/{sandbox.app_id}", console_menu=[])
    found = compare_menu(account_id=account_id)
    assert (found.state, found.is_open) == ("absent", False)


def test_conditional_menus_are_compared_by_tag(account: Account, server: ScriptedServer) -> None:
    server.script(CURRENT, ok(is_menu_open=1, selfmenu_info={"button": [CLICK]}))
    server.script(CREATE, FINE)
    server.script(GET, ok(menu={"button": [CLICK]}))
    server.script(ADD, ok(menuid="1"))
    publish(draft(account, CLICK, conditionals=[for_tag("100", MINI)]))
    other = {"button": [VIEW], "matchrule": {"tag_id": 101}, "menuid": 2}
    server.script(GET, ok(menu={"button": [CLICK]}, conditionalmenu=[other]))
    found = compare_menu(account_id=account.pk)
    assert [one.where for one in found.differences] == [
        "个性化菜单「标签100」 · 第 1 列",
        "个性化菜单「101」 · 第 1 列",
    ]


@pytest.mark.parametrize("reply", [HTML, DROP, ok(menu=5), ok(menu={"button": []}, conditionalmenu=[5])])
def test_an_answer_that_is_no_menu_is_no_comparison(
    account: Account, server: ScriptedServer, reply: Reply
) -> None:
    server.script(CURRENT, ok(is_menu_open=1, selfmenu_info={"button": []}))
    server.script(GET, reply)
    with pytest.raises(WeChatAway):
        compare_menu(account_id=account.pk)


DELETE, MATCH = "/cgi-bin/menu/delete", "/cgi-bin/menu/trymatch"


def remove(account: Account) -> str:
    return remove_menu(account_id=account.pk, reason="换季，先撤下", actor=STAFF)


def test_a_removed_menu_is_history_and_comes_back(sandbox_account: Account, sandbox: Sandbox) -> None:
    version = draft(sandbox_account, CLICK, conditionals=[for_tag("2", VIEW)])
    publish(version)
    _person, openid = sandbox.follower()
    assert find_menu_of(account_id=sandbox_account.pk, openid=openid) == [CLICK]
    assert remove(sandbox_account) == "removed"
    assert state_of(version) == "superseded"
    assert compare_menu(account_id=sandbox_account.pk).state == "unpublished"
    with pytest.raises(WeChatRefused) as refused:
        find_menu_of(account_id=sandbox_account.pk, openid=openid)
    assert refused.value.details["errcode"] == 65303
    assert remove(sandbox_account) == "removed"  # again does no harm
    publish(restore_version(version_id=version.pk, actor=STAFF))
    assert compare_menu(account_id=sandbox_account.pk).state == "same"
    entry = AuditEntry.objects.filter(action="wechat.menu.remove").first()
    assert entry is not None
    assert (entry.details["reason"], entry.details["outcome"]) == ("换季，先撤下", "removed")


@pytest.mark.parametrize("answer", [error(-1), HTML, DROP])
def test_a_removal_of_which_nobody_knows_says_so(
    account: Account, server: ScriptedServer, answer: Reply
) -> None:
    server.script(CREATE, FINE)
    server.script(GET, ok(menu={"button": [CLICK]}))
    version = draft(account, CLICK)
    publish(version)
    server.script(DELETE, answer)
    assert remove(account) == "unclear"
    assert state_of(version) == "unclear"
    assert not is_publishing(account.pk)
    server.script(DELETE, FINE)
    assert remove(account) == "removed"
    assert state_of(version) == "superseded"


def test_a_removal_that_was_surely_refused_changes_nothing(account: Account, server: ScriptedServer) -> None:
    server.script(CREATE, FINE)
    server.script(GET, ok(menu={"button": [CLICK]}))
    version = draft(account, CLICK)
    publish(version)
    server.script(DELETE, error(48001))
    with pytest.raises(WeChatRefused):
        remove(account)
    assert state_of(version) == "published"
    assert not AuditEntry.objects.filter(action="wechat.menu.remove").exists()


def test_nobody_removes_while_somebody_publishes(account: Account, server: ScriptedServer) -> None:
    version = draft(account, CLICK)
    MenuLease.objects.create(
        account=account, holder="other", leased_until=clock.now() + dt.timedelta(minutes=1)
    )
    with pytest.raises(MenuBusy):
        remove(account)
    assert not server.calls(DELETE)
    assert state_of(version) == "draft"


@pytest.mark.parametrize("answer", [ok(button="x"), ok(menu=1), HTML])
def test_what_is_no_menu_of_hers_is_no_menu(account: Account, server: ScriptedServer, answer: Reply) -> None:
    server.script(MATCH, answer)
    with pytest.raises((WeChatAway, WeChatRefused)):
        find_menu_of(account_id=account.pk, openid="oX")
