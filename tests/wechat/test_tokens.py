"""One token per account, one refresher, whatever dies in between."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from core import clock
from tests.stack import wait_until
from tests.wechat.gateway_out import OPENID, SECRET, Sandbox, at_once
from tests.wechat.scripted_server import FINE, Reply, ScriptedServer, error, ok, token_reply
from wechat.client.errors import ApiError, TokenBusy, TransportError, WeChatError
from wechat.client.gateway import GatewayClient
from wechat.models import AccessToken, Account, OutboundCall
from wechat.models.account import TokenKind
from wechat.services import tokens
from wechat.services.clients import client_for

STABLE = "/cgi-bin/stable_token"
INFO = "/cgi-bin/user/info"
TICKET = "/cgi-bin/ticket/getticket"


def stored(account: Account) -> AccessToken:
    return AccessToken.objects.get(account=account, kind=TokenKind.ACCESS)


def store(account: Account, value: str, lives_s: float, **fields: Any) -> AccessToken:
    return AccessToken.objects.create(
        account=account,
        kind=TokenKind.ACCESS,
        value=value,
        expires_at=clock.now() + dt.timedelta(seconds=lives_s),
        **fields,
    )


def forced(server: ScriptedServer) -> list[bool]:
    return [seen.json()["force_refresh"] for seen in server.calls(STABLE)]


# One fetch for all ----------------------------------------------------------------------------------------


def test_twenty_threads_with_an_empty_store_fetch_one_token(account: Account, server: ScriptedServer) -> None:
    server.script(STABLE, Reply(token_reply().body, delay_s=0.3))
    results = at_once(20, lambda _: tokens.get_token(account_id=account.pk))
    assert results == ["token-1"] * 20
    assert len(server.calls(STABLE)) == 1


def test_without_the_lease_the_same_threads_fetch_many(account: Account, server: ScriptedServer) -> None:
    """The twin: what the lease is for."""
    all_looked = threading.Barrier(20)

    def fetch_unleased(_: int) -> str:
        is_there = AccessToken.objects.filter(account=account).exclude(expires_at=None).exists()
        all_looked.wait(timeout=30)
        if not is_there:
            value = str(GatewayClient(account.app_id, SECRET).stable_token.fetch()["access_token"])
            AccessToken.objects.update_or_create(
                account=account,
                kind=TokenKind.ACCESS,
                defaults={"value": value, "expires_at": clock.now() + dt.timedelta(hours=2)},
            )
        return "done"

    at_once(20, fetch_unleased)
    assert len(server.calls(STABLE)) == 20


def test_the_token_is_sealed_in_the_database(account: Account, server: ScriptedServer) -> None:
    server.script(STABLE, token_reply("token-in-plain-words"))
    tokens.get_token(account_id=account.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM wechat_accesstoken")
        assert "token-in-plain-words" not in str(cursor.fetchall())


def test_a_token_with_more_than_five_minutes_left_is_not_asked_for_again(
    account: Account, server: ScriptedServer
) -> None:
    store(account, "old", 310)
    assert tokens.get_token(account_id=account.pk) == "old"
    assert server.seen == []


def test_a_token_in_its_last_five_minutes_is_replaced(account: Account, server: ScriptedServer) -> None:
    store(account, "old", 290)
    assert tokens.get_token(account_id=account.pk) == "token-1"
    expires_at = stored(account).expires_at
    assert expires_at is not None
    assert expires_at > clock.now() + dt.timedelta(seconds=7100)


def test_while_one_refreshes_the_others_go_on_with_the_old_token(
    account: Account, server: ScriptedServer
) -> None:
    """WeChat answers the one only when all others have theirs."""
    store(account, "old", 200)
    served = threading.Semaphore(0)

    def when_all_others_are_served(_seen: Any) -> Reply:
        for _other in range(7):
            assert served.acquire(timeout=30)
        return token_reply()

    def get(_: int) -> str:
        token = tokens.get_token(account_id=account.pk)
        served.release()
        return token

    server.script(STABLE, when_all_others_are_served)
    assert sorted(at_once(8, get)) == ["old"] * 7 + ["token-1"]
    assert len(server.calls(STABLE)) == 1


def test_a_living_token_survives_a_failed_refresh(account: Account, server: ScriptedServer) -> None:
    store(account, "old", 200)
    server.script(STABLE, Reply(b"", 500))
    assert tokens.get_token(account_id=account.pk) == "old"
    assert stored(account).leased_until is None


def test_a_token_is_not_fetched_inside_a_transaction(account: Account, server: ScriptedServer) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        tokens.get_token(account_id=account.pk)
    assert server.seen == []


# Refreshers that die --------------------------------------------------------------------------------------


def test_a_dead_refreshers_lease_ends_and_another_takes_over(
    account: Account, server: ScriptedServer
) -> None:
    row = AccessToken.objects.create(account=account, kind=TokenKind.ACCESS, lease_holder="dead")
    AccessToken.objects.filter(pk=row.pk).update(leased_until=clock.now() + dt.timedelta(seconds=0.5))
    assert tokens.get_token(account_id=account.pk) == "token-1"
    assert len(server.calls(STABLE)) == 1


def test_the_lease_is_short_enough_to_wait_out() -> None:
    assert dt.timedelta(seconds=1) < tokens.LEASE <= dt.timedelta(seconds=10)


def test_waiting_for_another_refresher_ends_after_three_seconds(
    account: Account, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "WAIT_S", 0.3)
    AccessToken.objects.create(
        account=account,
        kind=TokenKind.ACCESS,
        lease_holder="busy",
        leased_until=clock.now() + dt.timedelta(seconds=10),
    )
    with pytest.raises(TokenBusy) as caught:
        tokens.get_token(account_id=account.pk)
    assert caught.value.reached == "no"
    assert server.seen == []


def test_a_refresher_that_lost_its_lease_does_not_overwrite_the_newer_token(
    account: Account, server: ScriptedServer
) -> None:
    def take_over(_seen: Any) -> Reply:
        AccessToken.objects.update(
            value="newer",
            expires_at=clock.now() + dt.timedelta(hours=2),
            lease_holder="",
            leased_until=None,
        )
        connection.close()
        return token_reply("late")

    server.script(STABLE, take_over)
    assert tokens.get_token(account_id=account.pk) == "newer"
    assert stored(account).value == "newer"


def test_wechat_away_is_told_and_the_lease_given_back(account: Account, server: ScriptedServer) -> None:
    server.script(STABLE, Reply(b"", 503), token_reply())
    with pytest.raises(TransportError):
        tokens.get_token(account_id=account.pk)
    assert tokens.get_token(account_id=account.pk) == "token-1"


# Tokens that were killed ----------------------------------------------------------------------------------


def test_a_token_killed_elsewhere_costs_one_refresh_for_all_threads(
    account: Account, server: ScriptedServer
) -> None:
    store(account, "dead", 7000)
    server.script(STABLE, Reply(token_reply("alive").body, delay_s=0.2))
    server.script(
        INFO, lambda seen: error(40001) if seen.query["access_token"] == "dead" else ok(openid=OPENID)
    )
    results = at_once(10, lambda _: client_for(account.pk).user.get(OPENID)["openid"])
    assert results == [OPENID] * 10
    assert forced(server) == [False]


def test_only_the_failed_token_is_invalidated(account: Account, server: ScriptedServer) -> None:
    store(account, "newer", 7000)
    assert tokens.renew_token(account_id=account.pk, failed="older") == "newer"
    assert server.seen == []


def test_the_same_dead_token_again_is_forced_out_once(account: Account, server: ScriptedServer) -> None:
    store(account, "dead", 7000)
    server.script(STABLE, token_reply("dead"), token_reply("alive"))
    assert tokens.renew_token(account_id=account.pk, failed="dead") == "alive"
    assert forced(server) == [False, True]
    row = stored(account)
    assert (row.value, row.forced_count, row.forced_on) == ("alive", 1, clock.today())


def test_a_second_force_waits_thirty_seconds(account: Account, server: ScriptedServer) -> None:
    store(
        account,
        "dead",
        7000,
        forced_at=clock.now() - dt.timedelta(seconds=20),
        forced_on=clock.today(),
        forced_count=1,
    )
    server.script(STABLE, token_reply("dead"))
    assert tokens.renew_token(account_id=account.pk, failed="dead") == "dead"
    assert forced(server) == [False]
    AccessToken.objects.update(forced_at=clock.now() - dt.timedelta(seconds=31))
    server.script(STABLE, token_reply("dead"), token_reply("alive"))
    assert tokens.get_token(account_id=account.pk) == "alive"
    assert stored(account).forced_count == 2


def test_twenty_forces_a_day_are_the_limit_and_the_next_day_starts_anew(
    account: Account, server: ScriptedServer
) -> None:
    long_ago = clock.now() - dt.timedelta(minutes=5)
    store(account, "dead", 7000, forced_at=long_ago, forced_on=clock.today(), forced_count=20)
    server.script(STABLE, token_reply("dead"))
    assert tokens.renew_token(account_id=account.pk, failed="dead") == "dead"
    AccessToken.objects.update(forced_on=clock.today() - dt.timedelta(days=1))
    server.script(STABLE, token_reply("dead"), token_reply("alive"))
    assert tokens.get_token(account_id=account.pk) == "alive"
    assert stored(account).forced_count == 1


# Configuration errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("errcode", [40013, 40125, 40164, 61004, 89503, 40243])
def test_a_configuration_error_is_remembered_and_not_asked_in_a_loop(
    account: Account, server: ScriptedServer, errcode: int, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(STABLE, error(errcode))
    for _ in range(3):
        with pytest.raises(ApiError) as caught:
            tokens.get_token(account_id=account.pk)
        assert caught.value.errcode == errcode
        assert caught.value.permanent
    assert len(server.calls(STABLE)) == 1
    assert [r.levelname for r in caplog.records if r.getMessage() == "wechat.token_refused"] == ["ERROR"]


def test_a_corrected_secret_counts_at_once_when_refusals_are_forgotten(
    account: Account, server: ScriptedServer
) -> None:
    server.script(STABLE, error(40125), token_reply())
    with pytest.raises(ApiError):
        tokens.get_token(account_id=account.pk)
    tokens.forget_tokens(account_id=account.pk)
    assert tokens.get_token(account_id=account.pk) == "token-1"


def test_a_remembered_refusal_ends(account: Account, server: ScriptedServer) -> None:
    AccessToken.objects.create(
        account=account,
        kind=TokenKind.ACCESS,
        lease_holder="refused:40164",
        leased_until=clock.now() - dt.timedelta(seconds=1),
    )
    assert tokens.get_token(account_id=account.pk) == "token-1"


@pytest.mark.parametrize(
    "reply", [ok(), ok(access_token="", expires_in=7200), ok(access_token="x"), Reply(b"<html>")]
)
def test_an_answer_without_a_token_is_not_stored(
    account: Account, server: ScriptedServer, reply: Reply
) -> None:
    server.script(STABLE, reply)
    with pytest.raises(WeChatError):
        tokens.get_token(account_id=account.pk)
    assert stored(account).value == ""


# Tickets --------------------------------------------------------------------------------------------------


def test_twenty_threads_fetch_one_ticket(account: Account, server: ScriptedServer) -> None:
    reply = ok(errcode=0, ticket="ticket-1", expires_in=7200)
    server.script(TICKET, Reply(reply.body, delay_s=0.2))
    assert at_once(20, lambda _: tokens.get_ticket(account_id=account.pk)) == ["ticket-1"] * 20
    assert len(server.calls(TICKET)) == 1
    assert len(server.calls(STABLE)) == 1


def test_a_ticket_is_replaced_five_minutes_before_its_end(account: Account, server: ScriptedServer) -> None:
    server.script(TICKET, ok(ticket="ticket-2", expires_in=7200))
    AccessToken.objects.create(
        account=account,
        kind=TokenKind.JSAPI,
        value="ticket-1",
        expires_at=clock.now() + dt.timedelta(seconds=299),
    )
    assert tokens.get_ticket(account_id=account.pk) == "ticket-2"


# Redis, and the real sandbox ------------------------------------------------------------------------------


def test_redis_takes_no_part(account: Account, server: ScriptedServer, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    server.script(INFO, ok(openid=OPENID))
    assert client_for(account.pk).user.get(OPENID)["openid"] == OPENID


def test_a_token_killed_in_the_sandbox_is_renewed_and_the_call_succeeds(
    sandbox: Sandbox, sandbox_account: Account
) -> None:
    _, openid = sandbox.follower()
    client = client_for(sandbox_account.pk)
    assert client.user.get(openid)["subscribe"] == 1
    sandbox.ask("POST", f"/accounts/{sandbox.app_id}/kill-tokens")
    assert client.user.get(openid)["subscribe"] == 1
    assert OutboundCall.objects.filter(path=STABLE).count() == 2


def test_a_token_that_the_sandbox_hands_out_dead_is_forced_out(
    sandbox: Sandbox, sandbox_account: Account
) -> None:
    _, openid = sandbox.follower()
    client = client_for(sandbox_account.pk)
    client.user.get(openid)
    sandbox.ask("POST", f"/accounts/{sandbox.app_id}/kill-tokens", sticky=True)
    assert client.user.get(openid)["subscribe"] == 1
    assert stored(sandbox_account).forced_count == 1


def test_an_expired_token_is_renewed(sandbox: Sandbox, sandbox_account: Account) -> None:
    _, openid = sandbox.follower()
    client = client_for(sandbox_account.pk)
    client.user.get(openid)
    sandbox.ask("POST", "/clock", advance=7300)
    try:
        assert client.user.get(openid)["subscribe"] == 1
    finally:
        sandbox.ask("POST", "/clock", reset=True)


def test_a_wrong_secret_is_reported_as_such(sandbox: Sandbox, sandbox_account: Account) -> None:
    Account.objects.update(app_secret="wrong")
    with pytest.raises(ApiError) as caught:
        client_for(sandbox_account.pk).user.get(OPENID)
    assert caught.value.errcode == 40125


def test_a_refresher_frozen_past_its_lease_is_fenced_off(account: Account, server: ScriptedServer) -> None:
    """The first refresher hangs; its lease ends; a second one stores; then the first comes back."""
    hangs = threading.Event()

    def first_hangs(_seen: Any) -> Reply:
        hangs.wait(30)
        return token_reply("late")

    server.script(STABLE, first_hangs, token_reply("second"))
    server.script(INFO, FINE)
    results: list[str] = []

    def refresh() -> None:
        results.append(tokens.get_token(account_id=account.pk))
        connection.close()

    first = threading.Thread(target=refresh)
    first.start()
    wait_until(lambda: server.calls(STABLE), what="the first refresher's call")
    AccessToken.objects.update(leased_until=clock.now() - dt.timedelta(seconds=1))
    assert tokens.get_token(account_id=account.pk) == "second"
    hangs.set()
    first.join()
    assert results == ["second"]
    assert stored(account).value == "second"
