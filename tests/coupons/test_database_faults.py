"""A database that refuses to write, takes too long or is locked: an error that says so, nothing half done, and all is
well again without a restart."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from coupons import services
from coupons.models import Coupon, Redemption
from coupons.services import bulk
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
from tests.database_faults import assert_refused, picture, set_session
from tests.full_disk import full_disk
from tests.killed_job import database_url

pytestmark = pytest.mark.django_db(transaction=True)


class Counter:
    """A batch with one issued coupon, members who wait, and a bulk issue that has not begun."""

    def __init__(self) -> None:
        self.members, self.shop = make_members(9), make_shop()
        self.batch = make_batch(template_id=make_template(gifting="anyone"), budget_fen=100 * 3_000)
        self.issued = claim(self.batch, self.members[0])
        self.job = services.start_issue_job(
            batch_id=self.batch, member_ids=self.members[2:], key="bulk", actor=BOSS
        ).job_id

    def acts(self) -> list[Callable[[], Any]]:
        """What people and jobs do, each of which writes to several tables."""
        mine: dict[str, Any] = {"coupon_id": self.issued.id, "member_id": self.members[0], "actor": BOSS}
        redeem: dict[str, Any] = {
            "code": self.issued.code,
            "order": order(self.shop),
            "request_id": "till",
            "actor": BOSS,
        }
        return [
            partial(claim, self.batch, self.members[1], "claim"),
            partial(services.gift_coupon, request_key="gift", **mine),
            partial(services.return_gift, **mine),
            partial(services.redeem_coupon, **redeem),
            partial(services.run_issue_job, job_id=self.job, actor=BOSS),
        ]


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    monkeypatch.setattr(bulk, "SLICE", 3)
    return Counter()


@pytest.fixture
def holder() -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url()) as other:
        yield other


def assert_all_refused(counter: Counter, *codes: str) -> None:
    """Every act fails with that error of PostgreSQL, changes nothing and leaves the connection usable."""
    before = picture("coupons")
    acts = counter.acts()
    for act in (acts[0], acts[1], acts[3], acts[4]):
        assert_refused(act, *codes)
    assert picture("coupons") == before


def assert_all_done(counter: Counter) -> None:
    """The same requests again, with their keys, have their effect once."""
    for act in counter.acts():
        act()
    assert Coupon.objects.count() == 9
    assert Redemption.objects.count() == 1
    check_counters(counter.batch)


def test_a_read_only_database_refuses_and_recovers(counter: Counter) -> None:
    set_session("default_transaction_read_only", "on")
    assert_all_refused(counter, "25006")
    set_session("default_transaction_read_only", "off")
    assert_all_done(counter)


def test_on_a_full_disk_nothing_is_issued_and_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "SLICE", 3)
    members, batch = make_members(8), make_batch(budget_fen=100 * 3_000)
    asked: dict[str, Any] = {"batch_id": batch, "member_ids": members[1:], "key": "bulk", "actor": BOSS}
    job = services.start_issue_job(**asked).job_id
    acts: list[Callable[[], Any]] = [
        partial(claim, batch, members[0], "claim"),
        partial(services.run_issue_job, job_id=job, actor=BOSS),
    ]
    with full_disk("coupons_coupon"):
        for act in acts:
            assert_refused(act, "53100")
        check_counters(batch)
    for act in acts:
        act()
    assert Coupon.objects.count() == 8
    check_counters(batch)


def test_on_a_full_disk_nothing_is_given_away_or_redeemed(counter: Counter) -> None:
    """The history is written last, when all the rest of the transaction is done."""
    acts = counter.acts()
    with full_disk("coupons_couponevent"):
        before = picture("coupons")
        for act in (acts[1], acts[3]):
            assert_refused(act, "53100")
        assert picture("coupons") == before
    assert_all_done(counter)


@pytest.mark.parametrize(("limit", "code"), [("statement_timeout", "57014"), ("lock_timeout", "55P03")])
def test_what_takes_too_long_is_given_up_whole(
    counter: Counter, holder: psycopg.Connection[Any], limit: str, code: str
) -> None:
    """All rows the acts must lock are held elsewhere: members, the coupon, the batch's counters."""
    for table in ("members_member", "coupons_coupon", "coupons_couponbatchshard"):
        holder.execute(f"SELECT 1 FROM {table} FOR UPDATE")
    set_session(limit, "'60ms'")
    assert_all_refused(counter, code)
    holder.rollback()
    set_session(limit, "'10s'")
    assert_all_done(counter)


def test_a_till_that_waits_too_long_for_the_counters_has_redeemed_nothing(
    counter: Counter, holder: psycopg.Connection[Any]
) -> None:
    """The last lock of a redemption, when all else is written."""
    holder.execute("SELECT 1 FROM coupons_couponbatchshard FOR UPDATE")
    before = picture("coupons")
    set_session("lock_timeout", "'60ms'")
    redeem = counter.acts()[3]
    with pytest.raises(DatabaseError):
        redeem()
    assert picture("coupons") == before
    holder.rollback()
    redeem()
    check_counters(counter.batch)
