"""Every answer to a send becomes one outcome, and what it says of the channel holds for all workers."""

import datetime as dt
import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from core import clock
from tests.wechat.gateway_out import OPENID, SECRET, open_account
from tests.wechat.scripted_server import (
    DROP,
    FINE,
    HTML,
    Reply,
    ScriptedServer,
    error,
    hosts_at,
    ok,
    token_reply,
)
from wechat.contracts import SendOutcome
from wechat.models import Account, OutboundCall, SendLane
from wechat.services import direct, lanes

TEMPLATE, SUBSCRIPTION, SERVICE = direct.TEMPLATE_PATH, direct.SUBSCRIPTION_PATH, direct.SERVICE_PATH
STABLE = "/cgi-bin/stable_token"
SENT = ok(errcode=0, errmsg="ok", msgid=200228332)

Send = Callable[[Account], SendOutcome]


def template(account: Account, key: str = "reach-1") -> SendOutcome:
    with direct.courier(account_id=account.pk) as carrying:
        return carrying.send_template(
            openid=OPENID,
            template_id="TID",
            fields={"thing1": "秋装上新", "time2": "2026-11-28 10:00"},
            client_msg_id=key,
        )


def subscription(account: Account) -> SendOutcome:
    with direct.courier(account_id=account.pk) as carrying:
        return carrying.send_subscription(
            openid=OPENID,
            template_id="TID",
            fields={"thing1": "秋装上新"},
            page="pages/me",
        )


def service(account: Account) -> SendOutcome:
    with direct.courier(account_id=account.pk) as carrying:
        return carrying.send_service_message(openid=OPENID, kind="text", payload={"text": "您好"})


BOTH = pytest.mark.parametrize(
    ("send", "path", "channel"),
    [
        (template, TEMPLATE, "template"),
        (subscription, SUBSCRIPTION, "subscription"),
        (service, SERVICE, "service"),
    ],
)


def told(outcome: SendOutcome) -> tuple[str, str, int | None]:
    return outcome.state, outcome.code, outcome.errcode


# Sent -----------------------------------------------------------------------------------------------------


def test_a_template_message_goes_out_with_its_key(account: Account, server: ScriptedServer) -> None:
    server.script(TEMPLATE, SENT)
    assert template(account) == SendOutcome("sent", errcode=0, message_id="200228332")
    assert server.calls(TEMPLATE)[0].json() == {
        "touser": OPENID,
        "template_id": "TID",
        "client_msg_id": "reach-1",
        "data": {"thing1": {"value": "秋装上新"}, "time2": {"value": "2026-11-28 10:00"}},
    }
    assert OutboundCall.objects.filter(path=TEMPLATE, outcome="ok").count() == 1


def test_a_template_message_opens_a_mini_program_or_an_address(
    account: Account, server: ScriptedServer
) -> None:
    server.script(TEMPLATE, SENT)
    with direct.courier(account_id=account.pk) as carrying:
        carrying.send_template(
            openid=OPENID,
            template_id="TID",
            fields={},
            client_msg_id="k",
            url="https://x.test/a?b=1",
            mini_app_id="wxmini",
            mini_page="pages/coupons?a=1",
        )
    body = server.calls(TEMPLATE)[0].json()
    assert body["url"] == "https://x.test/a?b=1"
    assert body["miniprogram"] == {"appid": "wxmini", "pagepath": "pages/coupons?a=1"}


def test_a_subscribe_message_goes_out_and_may_have_no_id(account: Account, server: ScriptedServer) -> None:
    server.script(SUBSCRIPTION, FINE, ok(errcode=0, errmsg="ok", msgid="31"))
    assert [subscription(account).message_id for _ in range(2)] == ["", "31"]
    assert server.calls(SUBSCRIPTION)[0].json() == {
        "touser": OPENID,
        "template_id": "TID",
        "data": {"thing1": {"value": "秋装上新"}},
        "miniprogram_state": "formal",
        "lang": "zh_CN",
        "page": "pages/me",
    }


def test_a_repeat_that_wechat_knows_went_out_the_first_time(account: Account, server: ScriptedServer) -> None:
    server.script(TEMPLATE, error(45065))
    assert template(account).state == "sent"
    server.script(SERVICE, error(45065))
    assert service(account).state == "refused"


@pytest.mark.parametrize("key", ["", "k" * 33])
def test_a_key_wechat_would_not_know_again_is_a_mistake(account: Account, key: str) -> None:
    with pytest.raises(ValueError, match="client_msg_id"):
        template(account, key)


@BOTH
def test_nothing_is_sent_inside_a_transaction(
    account: Account, server: ScriptedServer, send: Send, path: str, channel: str
) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        send(account)
    assert server.seen == []


# Refused --------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("errcode", "code"),
    [
        (40003, "unknown_user"),
        (40037, "template_gone"),
        (41030, "page_unknown"),
        (43004, "not_follower"),
        (43019, "blocked"),
        (43101, "no_grant"),
        (45015, "window_closed"),
        (45047, "count_spent"),
        (47003, "field_refused"),
        (48002, "blocked"),
        (99999, "refused"),
    ],
)
def test_what_wechat_refuses_for_good_is_not_sent_again(
    account: Account, server: ScriptedServer, send: Send, path: str, channel: str, errcode: int, code: str
) -> None:
    server.script(path, error(errcode))
    assert told(send(account)) == ("refused", f"wechat.{code}", errcode)
    assert len(server.calls(path)) == 1
    assert not SendLane.objects.exists()


def test_the_field_wechat_does_not_like_is_named(account: Account, server: ScriptedServer) -> None:
    server.script(TEMPLATE, error(47003, "argument invalid! data.thing1.value invalid rid: 6a-1b"))
    assert template(account).field == "thing1"


# Later ----------------------------------------------------------------------------------------------------


@BOTH
def test_too_fast_is_later_and_slows_every_worker(
    account: Account, server: ScriptedServer, send: Send, path: str, channel: Any
) -> None:
    server.script(path, error(45011))
    outcome = send(account)
    assert told(outcome) == ("later", "wechat.too_fast", 45011)
    assert outcome.retry_at is not None
    permits = lanes.take_permits(account_id=account.pk, channel=channel, wanted=9)
    assert permits.count == 0
    assert permits.wait_until is not None
    assert permits.wait_until > clock.now() + dt.timedelta(seconds=50)


@BOTH
@pytest.mark.parametrize("reply", [Reply(b"", 502), Reply(b"", 429)])
def test_turned_away_in_front_of_wechat_is_later(
    account: Account, server: ScriptedServer, send: Send, path: str, channel: Any, reply: Reply
) -> None:
    server.script(path, reply)
    assert told(send(account)) == ("later", "wechat.away", None)
    assert lanes.take_permits(account_id=account.pk, channel=channel, wanted=9).count == 0


def test_nobody_there_is_later(account: Account, settings: Any) -> None:
    with ScriptedServer().running() as running:
        settings.WECHAT_HOSTS = hosts_at(running.base_url)
        running.script(TEMPLATE, SENT)
        assert template(account).state == "sent"
    settings.WECHAT_HOSTS = dict.fromkeys(settings.WECHAT_HOSTS, "http://127.0.0.1:9")
    assert told(template(account)) == ("later", "wechat.away", None)


@pytest.mark.parametrize("reply", [DROP, HTML, error(-1), Reply(b"", 500)])
def test_without_a_token_nothing_went_out(account: Account, server: ScriptedServer, reply: Reply) -> None:
    server.script(STABLE, reply)
    outcome = template(account)
    assert (outcome.state, outcome.code) == ("later", "wechat.no_token")
    assert server.calls(TEMPLATE) == []


# Uncertain ------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (error(-1), "busy"),
        (DROP, "no_answer"),
        (HTML, "no_answer"),
        (Reply(b""), "no_answer"),
        (Reply(b"", 504), "no_answer"),
        (Reply(SENT.body, delay_s=1.5), "timeout"),
        (Reply(SENT.body, is_cut=True), "no_answer"),
    ],
)
def test_what_may_have_gone_out_says_so_and_is_sent_once(
    account: Account, server: ScriptedServer, send: Send, path: str, channel: str, reply: Reply, code: str
) -> None:
    server.script(path, reply)
    outcome = send(account)
    assert (outcome.state, outcome.code) == ("uncertain", f"wechat.{code}")
    assert outcome.is_repeatable is (channel == "template")
    assert len(server.calls(path)) == 1


def test_system_busy_slows_every_worker(account: Account, server: ScriptedServer) -> None:
    server.script(TEMPLATE, error(-1))
    template(account)
    assert lanes.take_permits(account_id=account.pk, channel="template", wanted=9).count == 0


# Halted ---------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("errcode", "code", "ends"),
    [
        (45009, "quota_spent", True),
        (48001, "no_permission", False),
        (48004, "api_banned", False),
        (50002, "account_frozen", False),
        (40164, "ip_refused", False),
    ],
)
def test_what_concerns_the_whole_account_stops_the_channel(
    account: Account,
    server: ScriptedServer,
    send: Send,
    path: str,
    channel: Any,
    errcode: int,
    code: str,
    ends: bool,
) -> None:
    server.script(path, error(errcode))
    outcome = send(account)
    assert told(outcome) == ("halted", f"wechat.{code}", errcode)
    permits = lanes.take_permits(account_id=account.pk, channel=channel, wanted=1)
    assert (permits.count, permits.halt_code) == (0, f"wechat.{code}")
    if ends:
        _start, midnight = clock.day_bounds(clock.today())
        assert outcome.retry_at is not None
        assert abs(outcome.retry_at - midnight) < dt.timedelta(seconds=5)
        assert permits.wait_until == outcome.retry_at
    else:
        assert outcome.retry_at is permits.wait_until is None


def test_an_address_that_may_not_fetch_tokens_stops_the_channel(
    account: Account, server: ScriptedServer
) -> None:
    server.script(STABLE, error(40164))
    assert told(template(account)) == ("halted", "wechat.ip_refused", 40164)
    assert lanes.take_permits(account_id=account.pk, channel="template", wanted=1).count == 0


def test_a_switched_off_account_sends_nothing(account: Account, server: ScriptedServer) -> None:
    Account.objects.update(is_active=False)
    assert told(template(account)) == ("halted", "wechat.account_off", None)
    assert server.seen == []


# A courier ------------------------------------------------------------------------------------------------


def many(account: Account, count: int, threads: int = 4) -> list[SendOutcome]:
    """`count` messages through one courier on several threads."""
    outcomes: list[SendOutcome] = []
    with direct.courier(account_id=account.pk) as carrying:

        def run(number: int) -> None:
            outcomes.extend(
                carrying.send_template(
                    openid=OPENID, template_id="TID", fields={}, client_msg_id=f"{number}-{turn}"
                )
                for turn in range(count // threads)
            )
            connection.close()

        workers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return outcomes


def test_a_token_that_dies_in_the_middle_costs_no_message(account: Account, server: ScriptedServer) -> None:
    alive, asked = ["token-1"], itertools.count(1)

    def answer(seen: Any) -> Reply:
        if next(asked) == 50:
            alive[0] = "token-2"
        return SENT if seen.query["access_token"] == alive[0] else error(40001)

    server.script(TEMPLATE, answer)
    server.script(STABLE, lambda _seen: token_reply(alive[0]))
    outcomes = many(account, 100)
    assert [outcome.state for outcome in outcomes] == ["sent"] * 100
    keys = [
        seen.json()["client_msg_id"]
        for seen in server.calls(TEMPLATE)
        if seen.query["access_token"] == alive[0]
    ]
    assert len(server.calls(STABLE)) <= 4
    assert len(keys) == len(set(keys))


def test_every_call_of_a_courier_is_in_the_log_once(account: Account, server: ScriptedServer) -> None:
    server.script(TEMPLATE, SENT)
    many(account, 600)
    assert OutboundCall.objects.filter(path=TEMPLATE, account=account).count() == 600


def test_a_courier_looks_at_account_and_token_once(
    account: Account, server: ScriptedServer, django_assert_max_num_queries: Any
) -> None:
    server.script(TEMPLATE, SENT)
    template(account)
    with django_assert_max_num_queries(5), direct.courier(account_id=account.pk) as carrying:
        for turn in range(20):
            carrying.send_template(openid=OPENID, template_id="TID", fields={}, client_msg_id=f"k{turn}")


def test_failures_name_nobody(
    account: Account, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(TEMPLATE, error(40003, f"invalid openid {OPENID} access_token=token-1 rid: 6a-1b"))
    outcome = template(account)
    for told_text in (caplog.text, repr(outcome)):
        assert OPENID not in told_text
        assert SECRET not in told_text


def test_accounts_do_not_stop_each_other(account: Account, server: ScriptedServer) -> None:
    other = open_account(slug="other", app_id="wxother")
    server.script(TEMPLATE, error(48001))
    template(account)
    assert lanes.take_permits(account_id=other.pk, channel="template", wanted=1).count == 1
