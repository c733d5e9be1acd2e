"""Whatever happens in whatever order: the sums hold, nothing that is written changes, returns restore."""

import datetime as dt
import itertools
from collections.abc import Callable
from functools import partial

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
from core.actor import Actor
from core.errors import Refusal
from members import services
from members.contracts import PointsChange
from members.models import PointsAccount, PointsEntry
from tests.members.points_kit import TILL, check_sums, decide, make_member

_numbers = itertools.count(1)
POINTS = st.integers(1, 120)
WHO = st.sampled_from([0, 1])
NTH = st.integers(0, 30)
EXPECTED = {
    "members.not_enough_points",
    "members.entry_already_reversed",
    "members.entry_not_reversible",
    "members.not_frozen",
}


class PointsMachine(RuleBasedStateMachine):
    """Two rows of one person, merged at some moment; days pass."""

    def __init__(self) -> None:
        super().__init__()
        self.number = next(_numbers)
        self.at = clock.now()
        self.members = [make_member(f"m{self.number}-{place}") for place in (0, 1)]
        self.keys: list[tuple[int, str]] = []
        self.freezes: list[tuple[int, str]] = []
        self.written: dict[int, tuple[int, str, int]] = {}
        self.is_merged = False
        self.allows_debt = False
        decide(shortage_policy="forgive")

    def _key(self) -> str:
        return f"k{next(_numbers)}"

    def _try(self, call: Callable[..., PointsChange]) -> bool:
        """Every request is sent twice; a refused one is refused for a reason of the rules."""
        try:
            first = call(actor=TILL, at=self.at)
        except Refusal as refusal:
            if refusal.code not in EXPECTED:
                raise
            return False
        before = PointsEntry.objects.count()
        again = call(actor=TILL, at=self.at)
        assert again.entry == first.entry
        assert PointsEntry.objects.count() == before
        return True

    @rule(who=WHO, points=POINTS, days=st.integers(0, 6))
    def credit(self, who: int, points: int, days: int) -> None:
        key, on = self._key(), clock.business_day(self.at) + dt.timedelta(days=days)
        call = partial(services.credit_points, member_id=self.members[who], points=points, source_key=key)
        assert self._try(partial(call, expires_on=on))
        self.keys.append((who, key))

    @rule(who=WHO, points=POINTS)
    def spend(self, who: int, points: int) -> None:
        key = self._key()
        if self._try(
            partial(services.debit_points, member_id=self.members[who], points=points, source_key=key)
        ):
            self.keys.append((who, key))

    @rule(who=WHO, points=POINTS)
    def freeze(self, who: int, points: int) -> None:
        key = self._key()
        if self._try(
            partial(services.freeze_points, member_id=self.members[who], points=points, source_key=key)
        ):
            self.freezes.append((who, key))

    @precondition(lambda self: self.freezes)
    @rule(nth=NTH, is_spent=st.booleans())
    def end_freeze(self, nth: int, is_spent: bool) -> None:
        who, freeze_key = self.freezes[nth % len(self.freezes)]
        key = self._key()
        service = services.spend_frozen_points if is_spent else services.release_points
        call = partial(service, member_id=self.members[who], freeze_key=freeze_key, source_key=key)
        if self._try(call) and is_spent:
            self.keys.append((who, key))

    @precondition(lambda self: self.keys)
    @rule(nth=NTH)
    def reverse(self, nth: int) -> None:
        who, reversed_key = self.keys[nth % len(self.keys)]
        self._try(
            partial(
                services.reverse_points_entry,
                member_id=self.members[who],
                reversed_key=reversed_key,
                source_key=self._key(),
            )
        )

    @rule(who=WHO, points=POINTS, is_credit=st.booleans())
    def reverse_before(self, who: int, points: int, is_credit: bool) -> None:
        key, member = self._key(), self.members[who]
        back = partial(
            services.reverse_points_entry, member_id=member, reversed_key=key, source_key=self._key()
        )
        assert back(actor=TILL, at=self.at).is_pending
        before = self._total()
        service = services.credit_points if is_credit else services.debit_points
        if self._try(partial(service, member_id=member, points=points, source_key=key)):
            assert self._total() == before - self._expired_since(before)

    def _total(self) -> int:
        return sum(PointsAccount.objects.filter(member_id__in=self.members).values_list("balance", flat=True))

    def _expired_since(self, before: int) -> int:
        """Points past their day may have gone in the same transaction; nothing else may."""
        newest = PointsEntry.objects.filter(account__member_id__in=self.members, at=self.at).order_by("pk")
        seen = set(self.written)
        return -sum(entry.delta for entry in newest if entry.pk not in seen and entry.kind == "expire")

    @rule(days=st.integers(1, 3), runs_job=st.booleans())
    def days_pass(self, days: int, runs_job: bool) -> None:
        self.at += dt.timedelta(days=days)
        if runs_job:
            services.expire_points(actor=TILL, at=self.at)

    @rule()
    def allow_debt(self) -> None:
        decide(shortage_policy="debt")
        self.allows_debt = True

    @precondition(lambda self: not self.is_merged)
    @rule()
    def merge(self) -> None:
        actor = Actor.system("desk")
        services.merge_members(first_id=self.members[0], second_id=self.members[1], actor=actor, at=self.at)
        self.is_merged = True

    @invariant()
    def sums_hold(self) -> None:
        check_sums(*self.members)
        if not self.allows_debt:
            assert self._all_above_zero()

    def _all_above_zero(self) -> bool:
        return not PointsAccount.objects.filter(member_id__in=self.members, balance__lt=0).exists()

    @invariant()
    def what_is_written_stays(self) -> None:
        rows = PointsEntry.objects.filter(account__member_id__in=self.members)
        now = {row.pk: (row.delta, row.kind, row.balance_after) for row in rows}
        assert {pk: now.get(pk) for pk in self.written} == self.written
        self.written = now


@pytest.mark.django_db
@pytest.mark.timeout(300)
def test_the_sums_hold_at_all_times() -> None:
    run_state_machine_as_test(
        PointsMachine,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
