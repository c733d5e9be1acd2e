"""A database that refuses to write, takes too long or is full: no order is half booked, and all goes on afterwards."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.actor import Actor
from members.models import EarningRule, PointsAccount, PointsEntry
from sales import services
from sales.contracts import Share
from sales.models import IntakeJob, PerformanceEntry, Sale, SaleReturn
from tests.cast import Cast
from tests.database_faults import assert_refused, picture, set_session
from tests.full_disk import full_disk
from tests.killed_job import database_url
from tests.sales.import_kit import STAFF, check, row, text_of, upload
from tests.sales.kit import assert_totals_agree, back, key_of, ledger, line, order, tell

pytestmark = pytest.mark.django_db(transaction=True)

BOSS = Actor.staff(1, "总部")


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.IMPORT_ROOT = tmp_path


@pytest.fixture
def holder() -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url()) as other:
        yield other


def begun_file() -> int:
    """A checked file of two orders that somebody has started; no worker has begun."""
    job = check(upload(text_of([row("F1"), row("F2")])))
    services.start_intake(job_id=job.pk, actor=STAFF)
    return job.pk


class Desk:
    """A booked order, and what is told of it and beside it; each act writes to many tables, the ledger among them."""

    def __init__(self, cast: Cast) -> None:
        EarningRule.objects.create(name="每元一分", fen_per_point=100)
        first = order("O1", line(), line("B2"), member=key_of(cast.xiaomei))
        tell(first)
        sale = Sale.objects.get()
        theirs = (Share("serving", cast.wangfang.id, cast.store.id, 10_000),)
        self.job = begun_file()
        self.acts: list[Callable[[], Any]] = [
            partial(tell, order("O2", member=key_of(cast.xiaomei))),
            partial(services.work_intake, self.job),
            partial(
                services.reattribute_sale,
                sale_id=sale.pk, shares=theirs, reason="补登", request_key="k1", actor=BOSS,
            ),
            partial(tell, back()),
        ]  # fmt: skip

    def assert_all_refused(self, *codes: str) -> None:
        before = picture("sales", "members", "coupons")
        for act in self.acts:
            assert_refused(act, *codes)
        after = picture("sales", "members", "coupons")
        # A worker that could still write has noted that it took the file.
        for rows in (before, after):
            for job in rows["sales.IntakeJob"]:
                del job["claim_count"]
        assert after == before

    def assert_all_done(self) -> None:
        for act in (*self.acts, *self.acts):
            act()
        assert sorted(Sale.objects.values_list("order_no", flat=True)) == ["F1", "F2", "O1", "O2"]
        assert SaleReturn.objects.count() == 1
        assert IntakeJob.objects.get(pk=self.job).state == "finished"
        assert ledger()["sales_fen"] == 40_000
        assert PointsAccount.objects.get().balance == 200
        assert_totals_agree()


@pytest.fixture
def desk(cast: Cast) -> Desk:
    return Desk(cast)


def test_a_read_only_database_refuses_and_recovers(desk: Desk) -> None:
    set_session("default_transaction_read_only", "on")
    desk.assert_all_refused("25006")
    set_session("default_transaction_read_only", "off")
    desk.assert_all_done()


@pytest.mark.parametrize(("limit", "code"), [("statement_timeout", "57014"), ("lock_timeout", "55P03")])
def test_what_takes_too_long_is_given_up_whole(
    desk: Desk, holder: psycopg.Connection[Any], limit: str, code: str
) -> None:
    """Somebody holds the ledger, which is written when most of a booking is done."""
    holder.execute("LOCK TABLE sales_performanceentry IN EXCLUSIVE MODE")
    set_session(limit, "'150ms'")
    desk.assert_all_refused(code)
    holder.rollback()
    set_session(limit, "'10s'")
    desk.assert_all_done()


def test_on_a_full_disk_no_order_is_booked_and_the_file_waits(cast: Cast) -> None:
    job = begun_file()
    acts: list[Callable[[], Any]] = [
        partial(tell, order("O1", member=key_of(cast.xiaomei))),
        partial(services.work_intake, job),
    ]
    with full_disk("sales_performanceentry"):
        for act in acts:
            assert_refused(act, "53100")
        assert not Sale.objects.exists()
        assert not PointsEntry.objects.exists()
        assert IntakeJob.objects.get(pk=job).state == "running"
    for act in acts:
        act()
    assert Sale.objects.count() == 3
    assert PerformanceEntry.objects.filter(metric="sales_fen").count() == 3
    assert IntakeJob.objects.get(pk=job).state == "finished"
    assert_totals_agree()
