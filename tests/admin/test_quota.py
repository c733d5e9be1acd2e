"""The quota page: WeChat's own count beside ours, and having it set back, ten times a month."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core import audit, clock
from core.actor import Actor
from tests.cast import Cast
from tests.wechat.gateway_out import Sandbox
from wechat.contracts import Channel
from wechat.errors import ClearsUsedUp
from wechat.models import Account, OutboundCall, SendLane
from wechat.services import lanes, quota_clearing
from wechat.services.menu_removing import remove_menu
from wechat.services.verdicts import Trouble

QUOTA = reverse("admin:wechat_quota")
STAFF = Actor.system("test")


def use_up(account: Account) -> None:
    """Some calls of today, and two channels that stopped."""
    remove_menu(account_id=account.pk, reason="x", actor=STAFF)
    stopped: tuple[tuple[Channel, str], ...] = (
        ("template", "wechat.quota_spent"),
        ("service", "wechat.no_permission"),
    )
    for channel, code in stopped:
        halt = Trouble("halt", code, 45009)
        lanes.note_trouble(account_id=account.pk, channel=channel, trouble=halt, at=clock.now())


def test_wechat_is_asked_for_its_own_count(desk: Client, sandbox_account: Account, sandbox: Sandbox) -> None:
    use_up(sandbox_account)
    sandbox.ask("PATCH", f"/accounts/{sandbox.app_id}", quota={"/cgi-bin/menu/delete": 7})
    html = desk.post(QUOTA, {"account": sandbox_account.pk}).content.decode()
    assert "1 / 7" in html
    assert "删除菜单" in html
    assert "/cgi-bin/menu/delete" in html
    for strange in ("", "x", "0", "9" * 30):
        assert desk.post(QUOTA, {"account": strange}).status_code == 200
    sandbox.fault("quota", "/cgi-bin/openapi/quota/get")
    assert "微信说" not in desk.post(QUOTA, {"account": sandbox_account.pk}).content.decode()


def test_an_interface_has_a_name_and_an_unknown_one_its_path(desk: Client, cast: Cast) -> None:
    for path in ("/cgi-bin/message/template/send", "/cgi-bin/strange"):
        OutboundCall.objects.create(
            account_id=cast.account_id,
            path=path,
            outcome="ok",
            latency_ms=5,
            called_at=clock.now(),
            called_on=clock.today(),
        )
    for page in (QUOTA, reverse("admin:wechat_outboundcall_changelist")):
        html = desk.get(page).content.decode()
        assert "发模板消息" in html
        assert "/cgi-bin/strange" in html


def test_clearing_says_why_is_kept_and_lifts_what_the_quota_stopped(
    desk: Client, sandbox_account: Account, sandbox: Sandbox
) -> None:
    use_up(sandbox_account)
    clear = reverse("admin:wechat_quota_clear", args=[sandbox_account.pk])
    assert clear in desk.get(QUOTA).content.decode()
    assert "从这里清零过 0 次" in desk.get(clear).content.decode()
    assert desk.post(clear, {"_confirmed": "1"}).context["form"].errors
    assert desk.post(clear, {"_confirmed": "1", "reason": "券发错了要补"}).status_code == 302
    halted = SendLane.objects.filter(halted_at__isnull=False).values_list("channel", flat=True)
    assert list(halted) == ["service"]
    entry = audit.entries_about(subject=sandbox_account).get(action="wechat.quota.clear")
    assert entry.details["reason"] == "券发错了要补"
    assert "1 / 10 次" in desk.get(QUOTA).content.decode()
    assert "0 / 1,000" in desk.post(QUOTA, {"account": sandbox_account.pk}).content.decode()


def test_the_eleventh_time_in_a_month_is_refused_here_and_by_wechat(
    sandbox_account: Account, sandbox: Sandbox
) -> None:
    def clear() -> None:
        quota_clearing.clear_quota(account_id=sandbox_account.pk, reason="x", actor=STAFF)

    for _time in range(10):
        clear()
    with pytest.raises(ClearsUsedUp):
        clear()
    entries = audit.entries_about(subject=sandbox_account).filter(action="wechat.quota.clear")
    assert entries.count() == 10
    entries.update(at=clock.now() - dt.timedelta(days=40))  # another month here; the sandbox knows better
    with pytest.raises(ClearsUsedUp):
        clear()
    assert quota_clearing.count_clears(sandbox_account.pk, clock.now()) == 0


def test_who_may_only_look_asks_and_clears_nothing(looker: Client, cast: Any) -> None:
    clear = reverse("admin:wechat_quota_clear", args=[cast.account_id])
    assert looker.get(clear).status_code == 403
    assert looker.post(clear, {"_confirmed": "1", "reason": "x"}).status_code == 403
    assert "清零…" not in looker.get(QUOTA).content.decode()
