"""What the provider answers to a text: later, no, never, or nothing at all; a text in doubt is never repeated."""

import datetime as dt
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from campaigns import services
from campaigns.models import Reach
from core import clock
from sms import services as sms_services
from sms.models import SmsBlock, SmsLane
from sms.services import lanes
from tests.campaigns.kit import tries_of
from tests.campaigns.text_kit import CHAIN, STAFF, TEXT, Desk
from tests.killed_job import run_killed
from tests.sms.kit import (
    APP_ID,
)
from tests.threads import at_once
from tests.wechat.scripted_server import Reply, Seen, ok

KILLED = """
import os, pathlib
from django.conf import settings
from campaigns.services import send_due_reaches
settings.SMS_GATEWAY, settings.SMS_ENDPOINT = "tencent", {url!r}
settings.SMS_APP_ID, settings.SMS_KEY_ID, settings.SMS_KEY_SECRET = {app_id!r}, "k", "s"
pathlib.Path({pid_file!r}).write_text(str(os.getpid()))
send_due_reaches()
"""


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"balance": 0}, "sms.no_balance"),
        ({"app_id": "1400000000"}, "sms.misconfigured"),
    ],
)
def test_a_provider_that_takes_none_stops_the_lane_and_it_is_waited_for(
    desk: Desk, changes: dict[str, Any], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk.provider.set_up(**changes)
    services.queue_reaches(orders=[desk.world.order(f"r{n}", channels=CHAIN) for n in range(5)])
    services.send_due_reaches()
    assert set(Reach.objects.values_list("state", "code")) == {("queued", code)}
    assert caplog.messages.count("sms.lane_halted") == 1
    assert lanes.is_halted(purpose="notice", at=clock.now())
    assert not lanes.is_halted(purpose="marketing", at=clock.now())
    assert desk.send("must", importance="must").channel == "inbox"  # what must be said does not wait
    desk.provider.set_up()
    assert desk.again("r0").state == "queued"
    lanes.lift_halt(purpose="notice", actor=STAFF)
    desk.again()
    assert (desk.world.row("r0").state, len(desk.texts())) == ("sent", 5)


def test_a_spent_day_begins_again_at_midnight_by_itself(desk: Desk) -> None:
    desk.provider.fault("quota", times=1)
    before = clock.today()
    row = desk.send()
    assert (row.state, row.code) == ("queued", "sms.day_limit")
    # The day may have ended meanwhile.
    assert row.not_before in {clock.day_bounds(day)[1] for day in (before, clock.today())}


def test_a_pace_of_the_provider_slows_everybody_down(desk: Desk) -> None:
    desk.provider.fault("too_often", times=1)
    row = desk.send()
    assert (row.state, row.code) == ("queued", "sms.too_fast")
    assert SmsLane.objects.get(purpose="notice").backoff_until is not None
    SmsLane.objects.update(backoff_until=None)
    assert desk.again().state == "sent"


def test_a_number_that_had_one_a_moment_ago_waits_half_a_minute(desk: Desk) -> None:
    desk.provider.set_up(pace_s=30)
    assert desk.send("r0").state == "sent"
    row = desk.send()
    assert (row.state, row.code) == ("queued", "sms.number_pace")
    assert dt.timedelta(seconds=25) < row.not_before - clock.now() < dt.timedelta(seconds=40)


def test_a_number_on_the_providers_list_is_asked_for_once(desk: Desk) -> None:
    desk.provider.set_up(blacklist=[desk.phone])
    assert tries_of(desk.send("r0")) == [("sms", "sms.blacklisted")]
    desk.provider.set_up()  # whatever its list says now, it is not asked before a month is over
    assert tries_of(desk.send()) == [("sms", "sms.blacklisted")]
    SmsBlock.objects.update(until=clock.now())
    assert desk.send("r2").channel == "sms"


@pytest.mark.parametrize(("lost", "code"), [("1002", "sms.bad_template"), ("501", "sms.bad_sign")])
def test_what_the_provider_did_not_approve_is_not_asked_for_again(
    desk: Desk, lost: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk.provider.set_up(rejected=[lost])
    assert tries_of(desk.send("r0")) == [("sms", code)]
    assert "sms.review_lost" in caplog.messages
    assert tries_of(desk.send()) == [("sms", "text_unusable")]
    desk.provider.set_up()
    sms_services.sync_reviews(actor=STAFF)
    assert desk.send("r2").channel == "sms"


def test_an_invalid_number_takes_the_next_channel(desk: Desk, settings: Settings) -> None:
    settings.SMS_ENDPOINT = f"{desk.world.server.base_url}/sms"
    status = {"Code": "InvalidParameterValue.IncorrectPhoneNumber", "SerialNo": "", "Fee": 0}
    desk.world.server.script("/", ok(Response={"SendStatusSet": [status], "RequestId": "1"}))
    assert tries_of(desk.send()) == [("sms", "sms.bad_phone")]


@pytest.mark.parametrize("kind", ["slow", "drop", "accept_then_drop", "http_500", "html", "busy"])
def test_what_may_have_gone_out_is_in_doubt_and_never_repeated(
    desk: Desk, settings: Settings, kind: str
) -> None:
    if kind == "slow":
        settings.SMS_TIMEOUT_S = 1
    desk.provider.fault(kind, delay_s=1.6 if kind == "slow" else 0, times=1)
    row = desk.send()
    assert (row.state, row.channel) == ("uncertain", "sms")
    assert row.cost_hundredths == 450  # it may be on the bill
    SmsLane.objects.update(backoff_until=None)
    desk.again()
    wanted = 1 if kind in ("slow", "accept_then_drop") else 0
    assert desk.provider.arrived(desk.phone, wanted) == [TEXT] * wanted


def test_a_pulled_receipt_that_names_our_reference_ends_the_doubt(desk: Desk, settings: Settings) -> None:
    settings.SMS_PULL_REPORTS = True
    desk.provider.fault("accept_then_drop", times=1)
    assert desk.send().state == "uncertain"
    assert sms_services.pull_reports() == 1
    sms_services.work_reports()
    row = desk.world.row()
    assert (row.state, row.message_id != "") == ("delivered", True)
    assert len(desk.texts()) == 1


def test_nobody_there_is_tried_later(desk: Desk, settings: Settings) -> None:
    settings.SMS_ENDPOINT = "http://127.0.0.1:1/sms"
    row = desk.send()
    assert (row.state, row.code, row.cost_hundredths) == ("queued", "sms.no_connection", 0)


def test_a_sender_killed_between_send_and_record_leaves_it_in_doubt(desk: Desk, tmp_path: Path) -> None:
    server, pid_file = desk.world.server, tmp_path / "pid"

    def kill(_seen: Seen) -> Reply:
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
        return ok()

    server.script("/", kill)
    services.reach_member(order=desk.world.order(channels=CHAIN))
    run_killed(KILLED.format(url=f"{server.base_url}/sms", app_id=APP_ID, pid_file=str(pid_file)))
    assert (desk.world.row().state, len(server.calls("/"))) == ("sending", 1)
    Reach.objects.update(leased_until=clock.now() - dt.timedelta(seconds=1))
    services.send_due_reaches()
    assert (desk.world.row().state, desk.world.row().code) == ("uncertain", "sender_died")
    assert desk.texts() == []


def test_six_workers_send_one_text(desk: Desk) -> None:
    services.reach_member(order=desk.world.order(channels=CHAIN))
    at_once([services.send_due_reaches] * 6)
    assert (desk.world.row().state, len(desk.texts())) == ("sent", 1)
