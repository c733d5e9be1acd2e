"""A write happens once: repeats, other bodies, races, a process that is killed, faults of the database."""

import json
import signal
import threading
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection

from core import clock
from coupons.errors import CouponLocked
from coupons.models import Coupon, CouponOrder, Redemption
from openapi.models import ApiCall, ApiClient
from openapi.services import answer_once, idempotency
from openapi.views import orders
from tests.coupons.kit import make_members
from tests.coupons.test_orders import coupon_of
from tests.killed_job import run_killed
from tests.openapi.kit import LINES, Till, codes, make_till, new_key
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_same_key_and_body_get_the_first_answer(till: Till) -> None:
    code, key = coupon_of(make_members(1)[0]).code, new_key()
    first = till.redeem(code, key=key)
    assert first.status_code == 200
    assert "Idempotent-Replayed" not in first
    again = till.redeem(code, key=key)
    assert (again.status_code, again.data, again["Idempotent-Replayed"]) == (200, first.data, "true")
    assert Redemption.objects.count() == 1


def test_a_refusal_is_an_answer_and_comes_again_though_the_reason_is_gone(till: Till) -> None:
    code, key = coupon_of(make_members(1)[0]).code, new_key()
    till.post("/coupons/lock", {"order_no": "other", "coupons": [code]})
    first = till.redeem(code, key=key)
    assert codes(first) == (409, "coupons.coupon_locked")
    till.post("/coupons/unlock", {"order_no": "other", "coupons": [code]})
    again = till.redeem(code, key=key)
    assert (again.status_code, again.data, again["Idempotent-Replayed"]) == (409, first.data, "true")
    assert till.redeem(code).status_code == 200


def test_a_key_with_another_body_or_address_is_refused(till: Till) -> None:
    code, key = coupon_of(make_members(1)[0]).code, new_key()
    assert till.redeem(code, key=key).status_code == 200
    assert codes(till.redeem(code, key=key, till="2")) == (409, "openapi.idempotency_key_reused")
    other = till.post("/orders/reverse", {"order_no": "S1"}, key=key)
    assert codes(other) == (409, "openapi.idempotency_key_reused")
    assert CouponOrder.objects.get().ended_at is None


def test_another_client_may_use_the_same_key(shop: int, till: Till) -> None:
    key, other = new_key(), make_till(shop)
    first, second = (coupon_of(make_members(1)[0]).code for _ in range(2))
    assert till.redeem(first, key=key).status_code == 200
    assert other.redeem(second, key=key, order_no="S2").status_code == 200


@pytest.mark.parametrize("key", [None, "k" * 61, "a b", "券", "a/b"])
def test_a_write_without_a_usable_key_is_refused(till: Till, key: str | None) -> None:
    given = {"order_no": "S1", "coupons": ["x"], "lines": LINES}
    assert codes(till.post("/orders/redeem", given, key=key)) == (400, "openapi.idempotency_key_missing")


def test_what_cannot_be_read_leaves_the_key_free(till: Till) -> None:
    code, key = coupon_of(make_members(1)[0]).code, new_key()
    assert codes(till.redeem(code, key=key, lines=[])) == (400, "coupons.basket_empty")
    assert codes(till.redeem(code, key=key, payable_fen=-1)) == (400, "core.invalid_input")
    assert not ApiCall.objects.exists()
    assert till.redeem(code, key=key).status_code == 200


def test_twenty_at_once_with_one_key_are_one_effect_and_one_answer(till: Till) -> None:
    code, key = coupon_of(make_members(1)[0]).code, new_key()
    answers = at_once([partial(till.redeem, code, key=key)] * 20)
    in_flight = [answer for answer in answers if answer.status_code == 409]
    done = [answer for answer in answers if answer.status_code == 200]
    assert len(in_flight) + len(done) == 20
    assert {answer.data["code"] for answer in in_flight} <= {"openapi.in_flight"}
    assert all(answer["Retry-After"] == "1" for answer in in_flight)
    last = till.redeem(code, key=key)
    assert all(answer.data == last.data for answer in done)
    assert (Redemption.objects.count(), ApiCall.objects.count()) == (1, 1)


def test_without_the_lock_two_would_both_begin(till: Till) -> None:
    """What the lock is for: both find no answer, and both do the work."""
    looked, done = threading.Barrier(2), []

    def careless() -> None:
        assert not ApiCall.objects.filter(key="k").exists()
        looked.wait(timeout=30)
        done.append("work")

    at_once([careless, careless])
    assert len(done) == 2


def test_an_answer_that_came_between_look_and_lock_undoes_ours(till: Till) -> None:
    """The look is a moment older than the lock; whoever ended between them has the key, and the only effect."""
    client_id = ApiClient.objects.get().pk

    def other() -> None:
        ApiCall.objects.create(
            client_id=client_id,
            key="k",
            fingerprint="f",
            started_at=clock.now(),
            status=200,
            answer='{"n": 1}',
        )

    def ours() -> dict[str, Any]:
        at_once([other])
        ApiClient.objects.update(name="ours")
        return {"n": 2}

    answer = answer_once(client_id=client_id, key="k", fingerprint="f", run=ours, body_of=lambda refusal: {})
    assert (answer.body, answer.is_replay) == ({"n": 1}, True)
    assert (ApiClient.objects.get().name, ApiCall.objects.count()) == ("一号机", 1)


def test_without_the_keys_unique_both_effects_would_stand(till: Till) -> None:
    client_id = ApiClient.objects.get().pk
    row = {"client_id": client_id, "key": "k", "fingerprint": "f", "started_at": clock.now(), "status": 200}
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE openapi_apicall DROP CONSTRAINT apicall_key_once")
    try:

        def ours() -> dict[str, Any]:
            at_once([partial(ApiCall.objects.create, answer='{"n": 1}', **row)])
            ApiClient.objects.update(name="ours")
            return {"n": 2}

        answer_once(client_id=client_id, key="k", fingerprint="f", run=ours, body_of=lambda refusal: {})
        assert (ApiClient.objects.get().name, ApiCall.objects.count()) == ("ours", 2)
    finally:
        ApiCall.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE openapi_apicall ADD CONSTRAINT apicall_key_once UNIQUE (client_id, key)"
            )


def test_a_refusal_is_undone_before_it_is_kept(till: Till) -> None:
    client_id = ApiClient.objects.get().pk

    def refused() -> dict[str, Any]:
        ApiClient.objects.update(name="half")
        raise CouponLocked

    def ask(run: Any) -> Any:
        return answer_once(
            client_id=client_id,
            key="k",
            fingerprint="f",
            run=run,
            body_of=lambda refusal: {"code": refusal.code},
        )

    first = ask(refused)
    assert (first.status, first.body, first.is_replay) == (409, {"code": "coupons.coupon_locked"}, False)
    assert ApiClient.objects.get().name == "一号机"
    assert ask(lambda: {"n": 1}).body == first.body


def test_who_did_the_call_while_a_refusal_was_undone_has_the_answer(till: Till) -> None:
    """Between the refused work and its answer the lock is free for a moment: one answer is given to both."""
    client_id = ApiClient.objects.get().pk

    def ask(run: Any, body_of: Any = lambda refusal: {"code": refusal.code}) -> Any:
        return answer_once(client_id=client_id, key="k", fingerprint="f", run=run, body_of=body_of)

    def refused() -> dict[str, Any]:
        raise CouponLocked

    hold, done = idempotency._hold, []

    def let_another_in(call: Any) -> Any:
        done.append(call)
        if len(done) == 2:
            at_once([partial(ask, lambda: {"n": 1})])
        return hold(call)

    patch = pytest.MonkeyPatch()
    patch.setattr(idempotency, "_hold", let_another_in)
    with patch.context():
        answer = ask(refused)
    patch.undo()
    assert (answer.body, answer.is_replay) == ({"n": 1}, True)
    assert ApiCall.objects.count() == 1


def test_while_one_works_the_other_is_told_to_wait(till: Till) -> None:
    client_id = ApiClient.objects.get().pk
    working, told = threading.Event(), threading.Event()

    def slow() -> dict[str, Any]:
        working.set()
        assert told.wait(timeout=30)
        return {"n": 1}

    def ask(run: Any) -> Any:
        return answer_once(client_id=client_id, key="k", fingerprint="f", run=run, body_of=lambda refusal: {})

    def impatient() -> Any:
        assert working.wait(timeout=30)
        try:
            return ask(lambda: {"n": 2})
        finally:
            told.set()

    first, second = at_once([partial(ask, slow), impatient])
    assert first.body == {"n": 1}
    assert second.code == "openapi.in_flight"
    assert ask(lambda: {"n": 3}).body == {"n": 1}


def test_a_process_that_died_at_work_leaves_the_key_to_the_next(till: Till) -> None:
    """Its transaction and its lock are gone, so the work is done now."""
    code, key = coupon_of(make_members(1)[0]).code, new_key()

    class Killed(BaseException):
        """As kill -9 between the effect and the commit."""

    def die(**_values: Any) -> None:
        raise Killed

    patch = pytest.MonkeyPatch()
    patch.setattr(orders, "show_order", lambda card: die())
    with patch.context(), pytest.raises(Killed):
        till.redeem(code, key=key)
    patch.undo()
    assert not ApiCall.objects.exists()
    assert Coupon.objects.get().state == "issued"
    assert till.redeem(code, key=key).status_code == 200


def test_a_fault_of_the_database_is_a_503_and_the_key_stays_free(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, key = coupon_of(make_members(1)[0]).code, new_key()

    def away(card: Any) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(orders, "show_order", away)
        assert codes(till.redeem(code, key=key)) == (503, "core.unavailable")
    assert Coupon.objects.get().state == "issued"
    assert till.redeem(code, key=key).status_code == 200


def test_the_answer_is_stored_in_the_transaction_of_its_effect(till: Till) -> None:
    """A constraint that fails the answer's row takes the effect with it, so one never is without the other."""
    code = coupon_of(make_members(1)[0]).code
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE openapi_apicall ADD CONSTRAINT no_answers CHECK (status = 0)")
    try:
        assert till.redeem(code).status_code == 500
        assert Coupon.objects.get().state == "issued"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE openapi_apicall DROP CONSTRAINT no_answers")


def test_after_the_answer_was_pruned_the_domain_still_knows_the_request(till: Till) -> None:
    code, key = coupon_of(make_members(1)[0]).code, new_key()
    first = till.redeem(code, key=key)
    ApiCall.objects.all().delete()
    assert till.redeem(code, key=key).data == first.data
    assert json.loads(ApiCall.objects.get().answer)["id"] == first.data["id"]


@pytest.mark.faults
def test_killed_between_commit_and_answer_the_first_answer_is_given_again(till: Till) -> None:
    """kill -9 when everything is committed and nothing has left the process."""
    code, key = coupon_of(make_members(1)[0]).code, new_key()
    killed = run_killed(
        "import os, signal\n"
        "from openapi import api\n"
        "from tests.openapi.kit import Till\n"
        "api.KeyView.finalize_response = lambda *_args, **_values: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"Till({till.key_id!r}, {till.secret!r}).redeem({code!r}, key={key!r})\n"
    )
    assert killed == -signal.SIGKILL
    order = CouponOrder.objects.get()
    again = till.redeem(code, key=key)
    assert (again.status_code, again["Idempotent-Replayed"], again.data["id"]) == (
        200,
        "true",
        order.public_id,
    )
    assert CouponOrder.objects.count() == 1


def test_a_redemption_costs_few_statements_and_no_query_is_built(till: Till) -> None:
    """Key, nonce, lock and answer, coupon, place, all that is written, audit, answer, log; a savepoint of the service."""
    first, second = (coupon_of(make_members(1)[0]).code for _ in range(2))
    assert till.redeem(first).status_code == 200
    asked: list[str] = []

    def counting(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(counting):
        assert till.redeem(second, order_no="S2").status_code == 200
    kinds = [sql.split()[0] for sql in asked]
    assert (len(kinds), kinds.count("SAVEPOINT"), kinds.count("RELEASE")) == (11, 1, 1), asked
