"""Mass messages whose sender dies, whose answer is lost, or that WeChat refuses: never twice, and never silently lost."""

import datetime as dt
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection
from pytest_django import Settings

from campaigns import services
from campaigns.errors import MassChanged, MassNoLongerKnown
from campaigns.models import MassMessage, MassRecipient, ReachPolicy
from campaigns.services import mass_sending
from core import clock
from members import services as member_services
from tests.campaigns import mass_kit as kit
from tests.campaigns.kit import World
from tests.campaigns.mass_kit import WRITER
from tests.cast import DIRECTOR, openid_of
from tests.killed_job import run_killed
from tests.threads import at_once
from tests.wechat.scripted_server import DROP, HTML, Reply, Seen, error, ok
from wechat.services.mass import ALL_PATH, KNOWN_FOR, LIST_PATH

KILLED = """
import os, pathlib
from django.conf import settings
from campaigns.services import send_due_mass_messages
from tests.wechat.scripted_server import hosts_at
settings.WECHAT_HOSTS = hosts_at({url!r})
pathlib.Path({pid_file!r}).write_text(str(os.getpid()))
send_due_mass_messages()
"""


class WeChat:
    """Takes a message once under its id, and says so when it comes again; `answers` come in place of its own."""

    def __init__(self, world: World, *answers: Reply | None) -> None:
        self.taken: dict[str, int] = {}
        self.answers = list(answers)
        for path in (ALL_PATH, LIST_PATH):
            world.server.script(path, self.answer)

    def answer(self, seen: Seen) -> Reply:
        key = seen.json()["clientmsgid"]
        known = self.taken.get(key)
        if known is not None:
            own = ok(errcode=45065, errmsg="clientmsgid exist", msg_id=known)
        else:
            self.taken[key] = 9001 + len(self.taken)
            own = ok(errcode=0, errmsg="ok", msg_id=self.taken[key])
        instead = self.answers.pop(0) if self.answers else None
        return own if instead is None else instead


@pytest.fixture
def mass(world: World) -> World:
    kit.follow(world, world.cast.xiaoli_openid)
    return world


LOST = [DROP, HTML, Reply(b""), error(-1), Reply(b"", 504), Reply(b"{}", delay_s=1.6)]


@pytest.mark.parametrize("lost", LOST, ids=["drop", "html", "empty", "busy", "504", "timeout"])
def test_a_lost_answer_is_asked_for_under_the_same_id(mass: World, lost: Reply, settings: Settings) -> None:
    if lost.delay_s:
        settings.WECHAT_TIMEOUT_S = 1
    wechat = WeChat(mass, lost)
    message = kit.work(kit.confirmed(mass))
    assert (message.state, message.message_id) == ("sending", "")
    assert message.code.startswith("wechat.")
    assert kit.work(message).state == "sending"  # not before a minute is over
    assert len(kit.sends(mass)) == 1
    message = kit.again(message)
    assert (message.state, message.message_id, message.code) == ("sent", "9001", "")
    assert len(wechat.taken) == 1
    assert len({sent["clientmsgid"] for sent in kit.sends(mass)}) == 1


def test_asking_too_soon_leaves_it_open(mass: World) -> None:
    WeChat(mass, DROP, error(45066))
    message = kit.again(kit.work(kit.confirmed(mass)))
    assert (message.state, message.code, message.errcode) == ("sending", "wechat.repeated_fast", 45066)
    assert message.not_before is not None
    assert message.not_before > clock.now() + dt.timedelta(seconds=30)
    assert kit.again(message).state == "sent"


def test_a_sender_killed_between_send_and_record_sends_nothing_twice(mass: World, tmp_path: Path) -> None:
    wechat = WeChat(mass)
    pid_file = tmp_path / "pid"

    def take_and_kill(seen: Seen) -> Reply:
        answer = wechat.answer(seen)
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
        return answer

    mass.server.script(ALL_PATH, take_and_kill)
    message = kit.confirmed(mass)
    run_killed(KILLED.format(url=mass.server.base_url, pid_file=str(pid_file)))
    assert kit.fresh(message).state == "sending"
    mass.server.script(ALL_PATH, wechat.answer)
    assert kit.work(message).state == "sending"  # the dead worker's lease holds
    assert len(kit.sends(mass)) == 1
    message = kit.again(message)
    assert (message.state, message.message_id) == ("sent", "9001")
    assert len(wechat.taken) == 1


def test_two_workers_on_one_message_call_once(mass: World) -> None:
    WeChat(mass)
    message = kit.confirmed(mass)
    states = at_once([lambda: services.send_mass_message(message.pk)] * 4)
    assert len(kit.sends(mass)) == 1
    assert kit.fresh(message).state == "sent"
    assert set(states) <= {"confirmed", "sending", "sent"}


def test_a_worker_frozen_past_its_lease_writes_nothing(mass: World) -> None:
    message = kit.confirmed(mass)

    def freeze(_seen: Seen) -> Reply:
        MassMessage.objects.filter(pk=message.pk).update(lease_holder="another")
        connection.close()  # the server's thread ends with this call
        return ok(errcode=0, errmsg="ok", msg_id=1)

    mass.server.script(ALL_PATH, freeze)
    assert kit.work(message).message_id == ""
    WeChat(mass)
    assert kit.again(message).message_id == "9001"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (error(45028), "wechat.no_mass_quota"),
        (error(45009), "wechat.quota_spent"),
        (error(48001), "wechat.no_permission"),
        (error(40164), "wechat.ip_refused"),
        (error(45159), "wechat.tag_gone"),
        (error(40007), "wechat.unfit"),
        (error(45002), "wechat.unfit"),
        (error(99999), "wechat.refused"),
    ],
)
def test_a_refusal_ends_it_for_a_person_to_see(mass: World, answer: Reply, code: str) -> None:
    WeChat(mass, answer)
    message = kit.work(kit.confirmed(mass))
    assert (message.state, message.code) == ("failed", code)
    assert kit.again(message).state == "failed"
    assert len(kit.sends(mass)) == 1
    services.recall_mass_message(message_id=message.pk, actor=WRITER)
    renewed = kit.confirm(kit.fresh(message))
    assert renewed.client_msg_id != message.client_msg_id
    mass.server.script(ALL_PATH, ok(errcode=0, errmsg="ok", msg_id=5))
    assert kit.work(renewed).state == "sent"


@pytest.mark.parametrize("answer", [error(45011), Reply(b"", 502)], ids=["too_fast", "502"])
def test_what_wechat_surely_did_not_take_is_sent_later(mass: World, answer: Reply) -> None:
    WeChat(mass, answer)
    message = kit.work(kit.confirmed(mass))
    assert (message.state, message.first_tried_at) == ("confirmed", None)
    services.recall_mass_message(message_id=message.pk, actor=WRITER)
    assert kit.fresh(message).state == "draft"
    assert kit.work(kit.confirm(kit.fresh(message))).state == "sent"


def test_nothing_listens_and_an_account_is_off(mass: World, settings: Any) -> None:
    settings.WECHAT_HOSTS = {**settings.WECHAT_HOSTS, "api.weixin.qq.com": "http://127.0.0.1:9/api"}
    message = kit.work(kit.confirmed(mass))
    assert (message.state, message.code) == ("confirmed", "wechat.no_token")
    type(message.account).objects.filter(pk=message.account_id).update(is_active=False)
    message = kit.again(message)
    assert (message.state, message.code) == ("failed", "wechat.account_off")


def test_a_refused_repeat_says_nothing_of_the_first_send(mass: World) -> None:
    WeChat(mass, DROP, error(45028))
    message = kit.again(kit.work(kit.confirmed(mass)))
    assert (message.state, message.code, message.errcode) == ("uncertain", "wechat.no_mass_quota", 45028)
    kit.again(message)
    assert len(kit.sends(mass)) == 2
    with pytest.raises(MassChanged):
        services.recall_mass_message(message_id=message.pk, actor=WRITER)
    services.ask_again(message_id=message.pk, actor=WRITER)
    assert kit.work(message).state == "sent"


def test_what_stays_unknown_is_not_repeated_by_itself_and_not_after_a_day(mass: World) -> None:
    WeChat(mass, DROP)
    message = kit.work(kit.confirmed(mass))
    MassMessage.objects.update(send_until=clock.now())
    message = kit.again(message)
    assert (message.state, message.code) == ("uncertain", "wechat.no_answer")
    MassMessage.objects.update(first_tried_at=clock.now() - KNOWN_FOR)
    with pytest.raises(MassNoLongerKnown):
        services.ask_again(message_id=message.pk, actor=WRITER)
    assert len(kit.sends(mass)) == 1


def test_a_message_that_missed_its_hours_is_not_sent_at_another_one(mass: World) -> None:
    message = kit.confirmed(mass)
    MassMessage.objects.update(send_until=clock.now())
    message = kit.work(message)
    assert (message.state, message.code, kit.sends(mass)) == ("failed", "missed", [])


def test_the_night_ends_it_too(mass: World) -> None:
    message = kit.confirmed(mass)
    now = clock.now().astimezone(clock.SHANGHAI)
    begin, end = (now - dt.timedelta(hours=1)).time(), (now + dt.timedelta(hours=1)).time()
    ReachPolicy.objects.update(is_quiet_on=True, quiet_from=begin, quiet_until=end)
    assert (kit.work(message).state, kit.sends(mass)) == ("failed", [])


def test_a_tag_that_vanished_after_the_confirmation(mass: World) -> None:
    kit.tag(mass)
    message = kit.confirmed(mass, audience="tag", tag_id=kit.TAG_ID)
    mass.server.script("/cgi-bin/tags/get", ok(tags=[]))
    message = kit.work(message)
    assert (message.state, message.code, kit.sends(mass)) == ("failed", "tag_gone", [])


def test_a_tag_is_sent_to_as_last_known_when_wechat_does_not_list_it(mass: World) -> None:
    WeChat(mass)
    kit.tag(mass)
    mass.server.script("/cgi-bin/tags/get", HTML)
    assert kit.work(kit.confirmed(mass, audience="tag", tag_id=kit.TAG_ID)).state == "sent"


def test_everybody_on_the_list_left_meanwhile(mass: World) -> None:
    message = kit.confirmed(mass, **kit.listed(mass))
    for openid in (mass.cast.xiaomei_openid, mass.cast.xiaoli_openid):
        kit.follow(mass, openid, is_following=False)
    message = kit.work(message)
    assert (message.state, message.code, kit.sends(mass)) == ("failed", "nobody", [])


def test_who_took_her_consent_back_before_the_repeat_is_not_in_it(mass: World) -> None:
    """She had it only if the first send counts: the record follows WeChat's answer."""
    third = kit.newcomer(mass, "third")
    kit.agree(mass.cast.xiaomei.id, mass.cast.xiaoli.id, third)

    def lost_and_withdrawn(*answers: Reply | None) -> MassMessage:
        WeChat(mass, *answers)
        message = kit.confirmed(mass, purpose="marketing", **kit.listed(mass, third))
        kit.work(message)
        kit.withdraw(third)
        return kit.again(message)

    message = lost_and_withdrawn(DROP)  # WeChat has it, and says so
    assert openid_of("third") not in kit.sends(mass)[1]["touser"]
    assert not MassRecipient.objects.filter(message=message).exclude(left_out="").exists()
    kit.agree(third)
    message = lost_and_withdrawn(error(-1), ok(errcode=0, errmsg="ok", msg_id=77))
    left = MassRecipient.objects.get(message=message, openid=openid_of("third"))
    assert (message.message_id, left.left_out) == ("77", "no_consent")


def test_a_list_that_melts_away_before_the_repeat_is_not_repeated(mass: World) -> None:
    WeChat(mass, DROP)
    message = kit.work(kit.confirmed(mass, **kit.listed(mass)))
    member_services.erase_member(member_id=mass.cast.xiaoli.id, reason="own_wish", actor=DIRECTOR)
    message = kit.again(message)
    assert (message.state, message.code) == ("uncertain", "nobody")
    assert len(kit.sends(mass)) == 1


def test_the_database_holds_the_second_person_and_the_confirmation(mass: World) -> None:
    message = kit.confirmed(mass)
    with pytest.raises(IntegrityError, match="massmessage_second_person"):
        MassMessage.objects.filter(pk=message.pk).update(confirmed_by_id=WRITER.id)
    with pytest.raises(IntegrityError, match="massmessage_leaves_confirmed"):
        MassMessage.objects.filter(pk=kit.write(mass).pk).update(state="sending")


def test_a_job_that_dies_before_the_call_leaves_it_to_be_sent(
    mass: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    WeChat(mass)
    message = kit.confirmed(mass)

    def die(**_arguments: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(mass_sending, "refuse_unsendable", die)
        with pytest.raises(SystemExit):
            services.send_mass_message(message.pk)
    assert kit.fresh(message).state == "confirmed"
    with pytest.raises(MassChanged):
        services.recall_mass_message(message_id=message.pk, actor=WRITER)  # for all we know it is being sent
    assert kit.again(message).state == "sent"
