"""The connection check asks WeChat for a token and says the outcome plainly; and the quota page counts."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from core import clock
from core.models import StaffAccount
from tests.cast import Cast
from tests.wechat.gateway_out import account, server  # noqa: F401
from tests.wechat.scripted_server import TOKEN_PATH, ScriptedServer, error, token_reply
from wechat.models import Account, OutboundCall


@pytest.fixture
def staff(transactional_db: None, client: Client) -> Client:
    client.force_login(StaffAccount.objects.create_superuser("head", password="x"))
    return client


def check(staff: Client, account_id: int) -> tuple[str, str]:
    answer = staff.post(
        reverse("admin:wechat_account_check_connection", args=[account_id]), {"_confirmed": "1"}
    )
    assert answer.status_code == 302
    (message,) = get_messages(answer.wsgi_request)
    return message.level_tag, str(message)


def test_a_working_account_is_called_so(staff: Client, account: Account, server: ScriptedServer) -> None:  # noqa: F811
    server.script(TOKEN_PATH, token_reply("planted-token-1"))
    level, text = check(staff, account.pk)
    assert level == "success"
    assert "planted-token-1" not in text


@pytest.mark.parametrize(("errcode", "word"), [(40125, "AppSecret"), (40164, "白名单"), (40013, "AppID")])
def test_what_wechat_refuses_is_said_with_what_to_do(
    staff: Client,
    account: Account,  # noqa: F811
    server: ScriptedServer,  # noqa: F811
    errcode: int,
    word: str,
) -> None:
    server.script(TOKEN_PATH, error(errcode))
    level, text = check(staff, account.pk)
    assert level == "error"
    assert word in text
    assert account.app_secret not in text


def test_an_account_that_is_switched_off_is_said_to_be_so(staff: Client, account: Account) -> None:  # noqa: F811
    Account.objects.update(is_active=False)
    assert check(staff, account.pk)[0] == "error"


@pytest.mark.parametrize("day", ["", "nonsense", "2999-01-01"])
def test_quota_page_shows_today_for_an_unusable_day(desk: Client, full_chain: Cast, day: str) -> None:
    answer = desk.get(reverse("admin:wechat_quota"), {"day": day})
    assert (answer.context["day"], answer.context["call_count"]) == (clock.today(), 1)


def test_quota_page_counts_one_day_and_marks_a_tight_limit(desk: Client, full_chain: Cast) -> None:
    yesterday = clock.today() - dt.timedelta(days=1)
    values: dict[str, Any] = {
        "account_id": full_chain.account_id,
        "called_at": clock.now(),
        "called_on": yesterday,
    }
    OutboundCall.objects.bulk_create(
        OutboundCall(path="/cgi-bin/user/get", outcome="refused" if n < 3 else "ok", latency_ms=n, **values)
        for n in range(450)
    )
    context = desk.get(reverse("admin:wechat_quota"), {"day": yesterday.isoformat()}).context
    assert (context["call_count"], context["refused_count"], context["failed_count"]) == (450, 3, 0)
    assert [item["is_tight"] for item in context["shown"]] == [True]
