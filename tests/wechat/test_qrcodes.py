"""Parametric codes and the budget of permanent ones."""

import datetime as dt

import pytest
from django.db import transaction

from core import clock
from core.errors import InvalidInput
from tests.wechat.gateway_out import Sandbox, at_once
from tests.wechat.scripted_server import DROP, HTML, Reply, ScriptedServer, error, ok
from wechat.errors import CodeBudgetSpent, WeChatAway, WeChatRefused
from wechat.models import Account, PermanentCodeBudget
from wechat.services import qrcodes

CREATE = "/cgi-bin/qrcode/create"
MADE = ok(ticket="ticket-1", url="http://weixin.qq.com/q/1")


def spent(account: Account) -> int:
    return qrcodes.get_code_budget(account.pk).spent_count


def make(account: Account, scene: str = "g7Kq2", is_permanent: bool = True) -> str:
    return qrcodes.create_code(account_id=account.pk, scene=scene, is_permanent=is_permanent).ticket


def test_a_permanent_code_costs_one_of_the_budget(account: Account, server: ScriptedServer) -> None:
    server.script(CREATE, MADE)
    code = qrcodes.create_code(account_id=account.pk, scene="g7Kq2", is_permanent=True)
    assert (code.ticket, code.url, code.expires_at) == ("ticket-1", "http://weixin.qq.com/q/1", None)
    scene = {"scene": {"scene_str": "g7Kq2"}}
    assert server.calls(CREATE)[0].json() == {"action_name": "QR_LIMIT_STR_SCENE", "action_info": scene}
    budget = qrcodes.get_code_budget(account.pk)
    assert (budget.cap, budget.spent_count, budget.remaining) == (100_000, 1, 99_999)


def test_a_temporary_code_costs_nothing_and_says_when_it_ends(
    account: Account, server: ScriptedServer
) -> None:
    server.script(CREATE, ok(ticket="t", url="u", expire_seconds=604_800))
    code = qrcodes.create_code(
        account_id=account.pk, scene="g7Kq2", is_permanent=False, expire_seconds=604_800
    )
    assert server.calls(CREATE)[0].json()["action_name"] == "QR_STR_SCENE"
    assert server.calls(CREATE)[0].json()["expire_seconds"] == 604_800
    assert code.expires_at is not None
    assert abs(code.expires_at - clock.now() - dt.timedelta(days=7)) < dt.timedelta(minutes=1)
    assert spent(account) == 0


@pytest.mark.parametrize("scene", ["", "x" * 65, "有", "a b", "a%20", "a\n"])
def test_a_scene_wechat_would_refuse_is_refused_here(account: Account, scene: str) -> None:
    with pytest.raises(InvalidInput):
        make(account, scene)


@pytest.mark.parametrize("seconds", [0, 59, 2_592_001])
def test_a_life_wechat_would_refuse_is_refused_here(account: Account, seconds: int) -> None:
    with pytest.raises(InvalidInput):
        qrcodes.create_code(account_id=account.pk, scene="g", is_permanent=False, expire_seconds=seconds)


def test_twenty_threads_cannot_overspend_the_last_five(account: Account, server: ScriptedServer) -> None:
    server.script(CREATE, MADE)
    PermanentCodeBudget.objects.create(account=account, cap=5)
    results = at_once(20, lambda number: make(account, f"g{number}"))
    assert sum(isinstance(result, CodeBudgetSpent) for result in results) == 15
    assert results.count("ticket-1") == 5
    assert len(server.calls(CREATE)) == 5
    assert spent(account) == 5


@pytest.mark.parametrize("reply", [error(40053), error(45009), error(48001), error(40001)])
def test_what_wechat_refused_is_given_back(account: Account, server: ScriptedServer, reply: Reply) -> None:
    server.script(CREATE, reply)
    with pytest.raises((WeChatAway, WeChatRefused)):
        make(account)
    assert spent(account) == 0


@pytest.mark.parametrize("reply", [DROP, HTML, error(-1), Reply(b"", 500), ok(), Reply(b"{}", delay_s=1.3)])
def test_what_wechat_may_have_made_stays_counted(
    account: Account, server: ScriptedServer, reply: Reply
) -> None:
    server.script(CREATE, reply)
    with pytest.raises(WeChatAway):
        make(account)
    assert spent(account) == 1
    assert len(server.calls(CREATE)) == 1


def test_wechat_out_of_reach_costs_nothing(account: Account, settings: object) -> None:
    settings.WECHAT_HOSTS = {"api.weixin.qq.com": "http://127.0.0.1:9"}  # type: ignore[attr-defined]
    with pytest.raises(WeChatAway):
        make(account)
    assert spent(account) == 0


def test_wechats_own_limit_is_the_same_refusal(account: Account, server: ScriptedServer) -> None:
    server.script(CREATE, error(45029))
    with pytest.raises(CodeBudgetSpent):
        make(account)


def test_no_code_is_made_inside_a_transaction(account: Account, server: ScriptedServer) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        make(account)
    assert spent(account) == 0


def test_the_sandbox_makes_a_code_and_shows_its_picture(sandbox: Sandbox, sandbox_account: Account) -> None:
    ticket = make(sandbox_account)
    picture = qrcodes.fetch_code_image(account_id=sandbox_account.pk, ticket=ticket)
    assert picture.startswith((b"\xff\xd8\xff", b"\x89PNG"))
    with pytest.raises(WeChatRefused):
        qrcodes.fetch_code_image(account_id=sandbox_account.pk, ticket="no-such-ticket")
