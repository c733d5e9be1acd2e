"""One rate, one back-off and one halt per account and channel, whoever sends."""

import datetime as dt
import logging
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from core.errors import InvalidInput
from core.lanes import Permits
from core.models import AuditEntry
from tests.killed_job import django_elsewhere
from tests.wechat.gateway_out import at_once, open_account
from wechat.errors import NotHalted
from wechat.models import Account, SendLane
from wechat.services import lanes
from wechat.services.verdicts import Trouble

STAFF = Actor.system("test")
NOON = dt.datetime(2026, 11, 28, 4, 0, tzinfo=dt.UTC)
BUSY = Trouble("slow_down", "wechat.busy", -1)
TOO_FAST = Trouble("slow_down", "wechat.too_fast", 45011, pause_s=60)
NO_PERMISSION = Trouble("halt", "wechat.no_permission", 48001)


def count_halts(at: dt.datetime) -> int:
    return sum(lanes.is_halted(lane, at) for lane in lanes.list_lanes())


@pytest.fixture
def account(db: None) -> Account:
    return open_account()


def take(account: Account, wanted: int, after_s: float = 0.0) -> Permits:
    return lanes.take_permits(
        account_id=account.pk, channel="template", wanted=wanted, at=NOON + dt.timedelta(seconds=after_s)
    )


def trouble(account: Account, what: Trouble, after_s: float = 0.0) -> None:
    lanes.note_trouble(
        account_id=account.pk, channel="template", trouble=what, at=NOON + dt.timedelta(seconds=after_s)
    )


def halt_of_lane(account: Account, after_s: float = 0.0) -> Any:
    return lanes.find_halt(account_id=account.pk, channel="template", at=NOON + dt.timedelta(seconds=after_s))


# Rate -----------------------------------------------------------------------------------------------------


def test_the_first_handful_is_a_quarter_of_a_second_and_then_the_rate_holds(account: Account) -> None:
    assert take(account, 500) == Permits(50)
    assert take(account, 500) == Permits(0, NOON + dt.timedelta(seconds=0.25))
    assert take(account, 500, after_s=0.1).count == 20
    assert take(account, 10, after_s=0.2).count == 10
    assert take(account, 500, after_s=0.2).count == 10


def test_ten_seconds_of_asking_give_ten_seconds_of_rate(account: Account) -> None:
    taken = sum(take(account, 7, after_s=step / 100).count for step in range(1001))
    assert 2000 <= taken <= 2050


def test_a_worker_that_slept_does_not_flood(account: Account) -> None:
    take(account, 500)
    assert take(account, 5_000, after_s=3600).count == 50


def test_rates_below_four_a_second_give_single_permits(account: Account) -> None:
    lanes.set_rate(account_id=account.pk, channel="template", rate_per_s=1, actor=STAFF, at=NOON)
    assert [take(account, 9, after_s=step / 2).count for step in range(7)] == [0, 0, 1, 0, 1, 0, 1]


def test_channels_and_accounts_do_not_take_from_each_other(account: Account) -> None:
    other = open_account(slug="other", app_id="wxother")
    assert take(account, 50).count == 50
    assert take(other, 50).count == 50
    assert lanes.take_permits(account_id=account.pk, channel="service", wanted=50, at=NOON).count == 50


def test_a_clock_that_ran_ahead_holds_nobody_up_once_it_is_right(account: Account) -> None:
    assert take(account, 50, after_s=3600).count == 50
    assert take(account, 50).wait_until == NOON + dt.timedelta(seconds=0.25)
    assert take(account, 50, after_s=0.3).count == 50


def test_a_clock_that_is_a_second_behind_waits(account: Account) -> None:
    take(account, 50, after_s=1)
    assert take(account, 10) == Permits(0, NOON + dt.timedelta(seconds=1.05))


def test_a_rate_is_set_with_an_audit_entry_and_within_bounds(account: Account) -> None:
    lanes.set_rate(account_id=account.pk, channel="template", rate_per_s=20, actor=STAFF, at=NOON)
    assert take(account, 500).count == 5
    assert AuditEntry.objects.get(action="wechat.lane.rate").details == {"was_count": 200, "rate_count": 20}
    for rate in (0, 5_001):
        with pytest.raises(InvalidInput):
            lanes.set_rate(account_id=account.pk, channel="template", rate_per_s=rate, actor=STAFF)


@pytest.mark.django_db(transaction=True)
def test_twenty_workers_together_get_one_workers_rate() -> None:
    account = open_account()
    now = clock.now()

    def grab(_: int) -> int:
        return lanes.take_permits(account_id=account.pk, channel="template", wanted=30, at=now).count

    assert sum(at_once(20, grab)) == 50


# Back-off -------------------------------------------------------------------------------------------------


def test_busy_pauses_double_and_are_forgotten(account: Account) -> None:
    at = 0.0
    pauses = []
    for _ in range(8):
        trouble(account, BUSY, at)
        until = take(account, 1, at).wait_until
        assert until is not None
        pauses.append((until - NOON).total_seconds() - at)
        at += pauses[-1] + 1
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    at += 300
    trouble(account, BUSY, at)
    assert take(account, 1, at).wait_until == NOON + dt.timedelta(seconds=at + 1)


def test_many_that_fail_together_are_one_back_off(account: Account) -> None:
    for step in range(20):
        trouble(account, BUSY, step / 100)
    assert take(account, 1, 0.2) == Permits(0, NOON + dt.timedelta(seconds=1.19))
    assert take(account, 1, 1.2).count == 1


def test_too_fast_waits_the_minute_wechat_asks_for(account: Account) -> None:
    trouble(account, TOO_FAST)
    trouble(account, BUSY, 1)
    assert take(account, 1, 2) == Permits(0, NOON + dt.timedelta(seconds=60))
    assert take(account, 1, 60).count == 1


_OTHER_PROCESS = """
from wechat.services import lanes
from wechat.services.verdicts import Trouble
from core import clock
lanes.note_trouble(account_id={account_id}, channel="template",
                   trouble=Trouble("slow_down", "wechat.too_fast", 45011, pause_s=60), at=clock.now())
"""


@pytest.mark.django_db(transaction=True)
def test_a_back_off_met_by_another_process_holds_here_too() -> None:
    account = open_account()
    assert lanes.take_permits(account_id=account.pk, channel="template", wanted=1).count == 1
    django_elsewhere().run(_OTHER_PROCESS.format(account_id=account.pk))
    permits = lanes.take_permits(account_id=account.pk, channel="template", wanted=1)
    assert permits.count == 0
    assert permits.wait_until is not None
    assert permits.wait_until > clock.now() + dt.timedelta(seconds=30)


# Halt -----------------------------------------------------------------------------------------------------


def test_a_halt_gives_no_permit_until_a_person_lifts_it(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="wechat"):
        trouble(account, NO_PERMISSION)
        trouble(account, NO_PERMISSION, 5)
    assert [record.message for record in caplog.records] == ["wechat.lane_halted"]
    assert take(account, 5, 86_400) == Permits(0, None, "wechat.no_permission")
    assert halt_of_lane(account, 86_400).halt_errcode == 48001
    assert count_halts(NOON) == 1
    lanes.lift_halt(account_id=account.pk, channel="template", actor=STAFF, at=NOON)
    assert take(account, 5, 86_401).count == 5
    assert halt_of_lane(account, 86_401) is None
    assert AuditEntry.objects.get(action="wechat.lane.lift").details == {"halt_code": "wechat.no_permission"}


def test_a_halt_with_an_end_ends_by_itself(account: Account) -> None:
    trouble(account, Trouble("halt", "wechat.quota_spent", 45009, until=NOON + dt.timedelta(hours=2)))
    assert take(account, 1, 3600) == Permits(0, NOON + dt.timedelta(hours=2), "wechat.quota_spent")
    assert take(account, 1, 7200).count == 1
    assert count_halts(NOON + dt.timedelta(hours=3)) == 0


def test_a_halt_for_a_person_is_not_shortened_by_a_spent_quota(account: Account) -> None:
    trouble(account, NO_PERMISSION)
    trouble(account, Trouble("halt", "wechat.quota_spent", 45009, until=NOON + dt.timedelta(hours=2)))
    assert take(account, 1, 7200).halt_code == "wechat.no_permission"


def test_what_is_not_halted_is_not_lifted(account: Account) -> None:
    take(account, 1)
    with pytest.raises(NotHalted):
        lanes.lift_halt(account_id=account.pk, channel="template", actor=STAFF)
    assert SendLane.objects.count() == 1
