"""Whatever happens in whatever order: a coupon is what a small model says, and the counters agree."""

import datetime as dt
import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core import clock
from core.errors import Refusal
from coupons import selectors, services
from coupons.services.redeeming import OFFLINE_SPAN
from tests.coupons.kit import (
    BOSS,
    check_counters,
    claim,
    make_batch,
    make_members,
    make_shop,
    make_template,
    order,
)

_numbers = itertools.count(1)
NTH = st.integers(0, 30)
QUOTA, LIMIT, BUDGET = 8, 3, 6


class CouponMachine(RuleBasedStateMachine):
    """One batch, three members, one store; days pass. The model is a dict of plain states."""

    def __init__(self) -> None:
        super().__init__()
        self.at = clock.now()
        self.members, self.shop = make_members(3), make_shop()
        self.batch = make_batch(
            QUOTA,
            member_limit=LIMIT,
            budget_fen=BUDGET * 3_000,
            template_id=make_template(gifting="anyone", valid_days=3),
            at=self.at,
        )
        self.model: dict[int, dict[str, Any]] = {}
        self.received = dict.fromkeys(self.members, 0)
        self.redeemed: dict[int, str] = {}
        self.is_open = True

    def _key(self) -> str:
        return f"m{next(_numbers)}"

    def _pick(self, nth: int) -> tuple[int, dict[str, Any]]:
        pairs = list(self.model.items())
        return pairs[nth % len(pairs)]

    def _is_over(self, row: dict[str, Any]) -> bool:
        return bool(row["until"] <= self.at)

    def _state(self, row: dict[str, Any]) -> str:
        state = row["state"]
        if state == "locked" and row["lock_until"] <= self.at:
            state = "issued"
        if state in {"issued", "gifting"} and self._is_over(row):
            state = "expired"
        return str(state)

    def _did(self, call: Any, **values: Any) -> Any:
        """The answer, or None for a refusal. Every request that has a key is sent twice."""
        try:
            return call(actor=BOSS, at=self.at, **values)
        except Refusal:
            return None

    @rule(nth=NTH)
    def claim(self, nth: int) -> None:
        member, request_key = self.members[nth % 3], self._key()
        live = sum(self._counts_for_budget(row) for row in self.model.values())
        may = self.is_open and len(self.model) < QUOTA and live < BUDGET and self.received[member] < LIMIT
        services.sold_out.forget_sold_out(self.batch)
        try:
            issued = claim(self.batch, member, request_key, at=self.at)
        except Refusal:
            assert not may
            return
        assert may
        assert claim(self.batch, member, request_key, at=self.at).id == issued.id
        self.received[member] += 1
        self.model[issued.id] = {
            "state": "issued", "member": member, "until": issued.valid_until, "code": issued.code, "lock_until": None,
        }  # fmt: skip

    def _counts_for_budget(self, row: dict[str, Any]) -> bool:
        return row["state"] not in {"voided", "expired"}

    @precondition(lambda self: self.model)
    @rule(nth=NTH, by_lock=st.booleans())
    def redeem(self, nth: int, by_lock: bool) -> None:
        pk, row = self._pick(nth)
        state, request_id = self._state(row), self._key()
        may = state == "issued" or (state == "locked" and by_lock)
        may = may and not self._is_over(row)
        values = {
            "code": row["code"], "order": order(self.shop), "request_id": request_id,
            "lock_key": f"lock{pk}" if by_lock else "",
        }  # fmt: skip
        answer = self._did(services.redeem_coupon, **values)
        assert (answer is not None) == may
        if may:
            assert self._did(services.redeem_coupon, **values) == answer
            row["state"] = "redeemed"
            self.redeemed[pk] = request_id

    @precondition(lambda self: self.redeemed)
    @rule(nth=NTH)
    def reverse(self, nth: int) -> None:
        pk, request_id = list(self.redeemed.items())[nth % len(self.redeemed)]
        values = {"request_id": request_id, "reversal_key": "b", "reason": "退货"}
        answer = self._did(services.reverse_redemption, **values)
        assert answer is not None
        assert self._did(services.reverse_redemption, **values) == answer
        row = self.model[pk]
        row["state"] = "expired" if self._is_over(row) else "issued"
        del self.redeemed[pk]

    @precondition(lambda self: self.model)
    @rule(nth=NTH)
    def lock(self, nth: int) -> None:
        pk, row = self._pick(nth)
        state = self._state(row)
        may = state in {"issued", "locked"} and not self._is_over(row)
        answer = self._did(services.lock_coupon, code=row["code"], lock_key=f"lock{pk}")
        assert (answer is not None) == may
        if answer is not None:
            row["state"], row["lock_until"] = "locked", self.at + dt.timedelta(minutes=15)

    @precondition(lambda self: self.model)
    @rule(nth=NTH, to=st.integers(0, 2), takes=st.booleans())
    def gift(self, nth: int, to: int, takes: bool) -> None:
        pk, row = self._pick(nth)
        may = self._state(row) == "issued"
        offer = self._did(
            services.gift_coupon, coupon_id=pk, member_id=row["member"], request_key=self._key()
        )
        assert (offer is not None) == may
        if offer is None:
            return
        row["state"] = "gifting"
        friend = self.members[to]
        if takes and friend != row["member"]:
            assert self._did(services.accept_gift, token=offer.token, member_id=friend)
            row["state"], row["member"] = "issued", friend

    @precondition(lambda self: self.model)
    @rule(nth=NTH)
    def take_back(self, nth: int) -> None:
        pk, row = self._pick(nth)
        self._did(services.return_gift, coupon_id=pk, member_id=row["member"])
        if row["state"] == "gifting":
            row["state"] = "issued"

    @precondition(lambda self: self.model)
    @rule(nth=NTH)
    def void(self, nth: int) -> None:
        pk, row = self._pick(nth)
        before = row["state"]
        self._did(services.void_coupon, coupon_id=pk, reason="作废")
        if before in {"issued", "locked", "gifting"}:
            row["state"] = "voided"

    @rule(hours=st.integers(1, 40))
    def time_passes(self, hours: int) -> None:
        self.at += dt.timedelta(hours=hours)

    @rule()
    def jobs_run(self) -> None:
        services.release_lapsed_locks(actor=BOSS, at=self.at)
        services.return_untaken_gifts(actor=BOSS, at=self.at)
        services.expire_coupons(actor=BOSS, at=self.at)
        for row in self.model.values():
            if row["state"] == "locked" and row["lock_until"] <= self.at:
                row["state"] = "issued"
            if row["state"] in {"issued", "gifting"} and row["until"] + OFFLINE_SPAN <= self.at:
                row["state"] = "expired"

    @invariant()
    def the_rows_are_what_the_model_says(self) -> None:
        for pk, row in self.model.items():
            card = selectors.get_coupon(pk, at=self.at)
            if row["state"] == "gifting" and card.state == "issued":
                row["state"] = "issued"  # the job brought an offer back that nobody took in time
            assert (card.state, card.member_id) == (self._state(row), row["member"]), pk
        check_counters(self.batch)


@pytest.mark.django_db
def test_the_life_of_coupons_follows_the_model() -> None:
    run_state_machine_as_test(
        CouponMachine,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
            derandomize=True,
        ),
    )
