"""Facts that are settled by two at once, and by one who is killed."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection

from core import clock
from guides import services as guide_services
from guides.models import Binding
from sales import services
from sales.models import FactKind, PerformanceEntry
from sales.selectors import facts as fact_rows
from sales.services import facts
from tests.cast import Cast
from tests.killed_job import killed_while_waiting
from tests.members.merge_kit import DESK, customer
from tests.sales.kit import assert_totals_agree, ledger
from tests.stack import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

_WAITERS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = %s
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def first_of(kind: FactKind) -> int:
    """What all turns of a kind begin with."""
    return facts._TURN_LOCK + list(FactKind).index(kind)


def waiters() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_WAITERS, [first_of(FactKind.BINDING)])
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(("has_turns", "counted"), [(True, {}), (False, {"new_binding_count": 1})])
def test_what_was_read_before_somebody_else_settled_is_written_only_without_turns(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, has_turns: bool, counted: dict[str, int]
) -> None:
    """One reads that 小美 is won and is slow to write it; meanwhile she leaves, which another settles."""
    binding = Binding.objects.get(member_id=cast.xiaomei.id)
    has_read, may_write = threading.Event(), threading.Event()
    read = fact_rows.list_facts

    def slow(*given: Any) -> Any:
        found = read(*given)
        if not has_read.is_set():
            has_read.set()
            assert may_write.wait(30)
        return found

    def settle() -> None:
        try:
            services.reconcile_facts(kind="binding", refs=[binding.pk])
        finally:
            connection.close()

    monkeypatch.setattr(facts, "list_facts", slow)
    if not has_turns:
        monkeypatch.setattr(facts, "_take_turns", lambda kind, refs: None)
    first, second = threading.Thread(target=settle), threading.Thread(target=settle)
    first.start()
    try:
        assert has_read.wait(30)
        guide_services.unbind_member(member_id=cast.xiaomei.id, reason="不想要导购", actor=DESK)
        second.start()
        if has_turns:
            wait_until(lambda: waiters() == 1, what="the second to wait for its turn")
        else:
            second.join(30)
    finally:
        may_write.set()
    for thread in (first, second):
        thread.join(30)
    assert ledger(metric="new_binding_count") == counted


def test_a_catch_up_killed_between_two_kinds_is_finished_by_the_next(cast: Cast) -> None:
    walk_in = customer("13800000001")
    guide_services.bind_member(member_id=walk_in.id, guide_id=cast.lina.id, source="pos", actor=DESK)
    job = (
        "import datetime as dt; from core import clock; from sales import services; "
        "services.catch_up_facts(look_back=dt.timedelta(days=1), at=clock.now() + dt.timedelta(minutes=1))"
    )
    last = first_of(FactKind.BINDING)
    lock = "SELECT pg_advisory_xact_lock(%(first)s, turn) FROM generate_series(0, 63) turn"
    with killed_while_waiting(job, lock=lock, values={"first": last}):
        assert ledger() == {"new_member_count": 1}
    for _twice in range(2):
        services.catch_up_facts(look_back=dt.timedelta(days=1), at=clock.now() + dt.timedelta(minutes=1))
    assert ledger() == {"new_member_count": 1, "new_binding_count": 2}
    assert PerformanceEntry.objects.count() == 3
    assert_totals_agree()
