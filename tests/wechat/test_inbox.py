"""Working off the inbox: what each push announces, and what happens when it fails."""

import datetime as dt
import threading
import time
from typing import Any

import pytest
from django.db import connection

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from tests.wechat import push_kit
from tests.wechat.conftest import Push, make_account
from tests.wechat.reply_kit import make_rule
from wechat.models import Account, Follower, InboundEvent, OutboundMessage
from wechat.services import followers, inbox
from wechat.services.callback import answer
from wechat.services.inbox import count_by_kind, drain_inbox, replay

pytestmark = pytest.mark.django_db(transaction=True)

OPENID = "oTESTUSER_00000000000000001"
STAFF = Actor.staff(1, "总部")


@pytest.fixture(autouse=True)
def _wechat_is_away(settings: Any) -> None:
    """Nobody listens here: lookups fail fast, and the inbox must get along."""
    settings.WECHAT_HOSTS = dict.fromkeys(settings.WECHAT_HOSTS, "http://127.0.0.1:9")


def the_event() -> InboundEvent:
    return InboundEvent.objects.get()


def test_a_follow_is_noted_and_processed_although_wechat_does_not_answer(push_safe: Push) -> None:
    push_safe(push_kit.event("subscribe", EventKey="qrscene_NOSUCHCODE"))
    assert drain_inbox() == 1
    assert the_event().state == "processed"
    follower = Follower.objects.get()
    assert (follower.is_following, follower.first_scene, follower.identified_at) == (True, "NOSUCHCODE", None)


def test_an_unknown_kind_is_kept_and_counted(push_safe: Push) -> None:
    push_safe(push_kit.event("brand_new_event"))
    push_safe(push_kit.message(MsgType="hologram", MsgId=1))
    push_safe(push_kit.message(MsgType="hologram", MsgId=2))
    drain_inbox()
    assert count_by_kind(state="ignored") == [("hologram", 2), ("event.brand_new_event", 1)]


def test_known_kinds_without_a_reaction_are_processed(push_safe: Push) -> None:
    push_safe(push_kit.event("VIEW", EventKey="https://x.test"))
    push_safe(push_kit.message(MsgType="image", MediaId="M", MsgId=3))
    drain_inbox()
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {"processed"}


def test_a_push_that_became_unreadable_is_set_apart(push_safe: Push) -> None:
    push_safe(push_kit.text_message("x"))
    InboundEvent.objects.update(raw="<xml><broken")
    drain_inbox()
    assert the_event().state == "unreadable"


def test_acts_open_the_window_and_a_longer_one_stays(push_safe: Push) -> None:
    at = int(time.time())
    push_safe(push_kit.text_message("你好", CreateTime=at))
    push_safe(push_kit.event("CLICK", EventKey="A", CreateTime=at + 1))
    drain_inbox()
    follower = Follower.objects.get()
    assert follower.window_until == clock.from_unix(at) + dt.timedelta(hours=48)
    assert follower.acted_at == clock.from_unix(at + 1)
    push_safe(push_kit.event("CLICK", EventKey="B", CreateTime=at - 60))  # arrives late
    drain_inbox()
    assert Follower.objects.get().acted_at == clock.from_unix(at + 1)


def test_pushes_that_overtake_each_other_end_in_the_true_state(
    push_safe: Push, safe_account: Account
) -> None:
    at = int(time.time())
    push_safe(push_kit.event("unsubscribe", CreateTime=at + 5))
    drain_inbox()
    push_safe(push_kit.event("subscribe", CreateTime=at))  # arrives late
    drain_inbox()
    assert Follower.objects.get().is_following is False
    push_safe(push_kit.event("subscribe", CreateTime=at + 10))
    push_safe(push_kit.event("unsubscribe", CreateTime=at + 7))  # arrives late
    drain_inbox()
    assert Follower.objects.get().is_following is True


def test_a_card_rule_is_answered_by_a_message_once(push_safe: Push, safe_account: Account) -> None:
    card = {
        "kind": "mini_program_card",
        "title": "会员码",
        "card_app_id": "wxmini",
        "card_page": "pages/code",
    }
    make_rule(
        safe_account.pk, "card", card | {"picture": "reply-cards/t.png"}, trigger="keyword", keyword="会员码"
    )
    assert push_safe(push_kit.text_message("会员码")).body == b"success"
    drain_inbox()
    replay(event_ids=[the_event().pk], actor=STAFF)
    drain_inbox()
    assert OutboundMessage.objects.get(kind="mini_program_card").payload["title"] == "会员码"


def test_a_card_rule_without_its_parts_does_not_fail_the_push(push_safe: Push, safe_account: Account) -> None:
    make_rule(safe_account.pk, "half", {"kind": "mini_program_card"}, trigger="default")
    push_safe(push_kit.text_message("x"))
    drain_inbox()
    assert the_event().state == "processed"
    assert OutboundMessage.objects.count() == 0


def test_a_revocation_names_the_person_not_the_platform(push_safe: Push) -> None:
    push_safe(
        push_kit.event("user_authorization_revoke", OpenID=OPENID, RevokeInfo="205", FromUserName="oSYS")
    )
    push_safe(
        push_kit.event("user_authorization_revoke", RevokeInfo="205", FromUserName="oSYS")
    )  # seen in the field
    drain_inbox()
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {"processed"}


# Failure, leases, replay ---------------------------------------------------------------------------------


def test_a_failing_push_is_tried_again_later_and_in_the_end_set_aside_with_its_reason(
    push_safe: Push,
) -> None:
    push_safe(push_kit.event("subscribe"))
    with connection.cursor() as cursor:  # a real failure: the table behind the handler is away
        cursor.execute("ALTER TABLE wechat_follower RENAME TO wechat_follower_away")
    try:
        for attempt in range(inbox.MAX_ATTEMPTS):
            assert the_event().state == "stored"
            InboundEvent.objects.update(retry_not_before=None)
            assert drain_inbox() == 1
            assert the_event().attempt_count == attempt + 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE wechat_follower_away RENAME TO wechat_follower")
    event = the_event()
    assert event.state == "failed"
    assert event.failure.startswith("ProgrammingError")
    assert replay(event_ids=[event.pk], actor=STAFF) == 1
    drain_inbox()
    assert the_event().state == "processed"


def test_a_postponed_push_is_not_due_before_its_time(push_safe: Push) -> None:
    push_safe(push_kit.text_message("x"))
    InboundEvent.objects.update(retry_not_before=clock.now() + dt.timedelta(minutes=1))
    assert drain_inbox() == 0


def test_what_a_dead_worker_held_is_taken_over_after_its_lease(push_safe: Push) -> None:
    push_safe(push_kit.text_message("x"))
    batch, dead = inbox._claim()
    assert drain_inbox() == 0  # held
    InboundEvent.objects.update(leased_until=clock.now() - dt.timedelta(seconds=1))
    assert drain_inbox() == 1
    finished_at = the_event().finished_at
    assert (
        inbox._settle(batch[0].pk, dead, state="failed", finished_at=None) is False
    )  # the late write is fenced off
    assert the_event().finished_at == finished_at


def test_two_workers_never_claim_the_same_push(push_safe: Push) -> None:
    for n in range(60):
        push_safe(push_kit.text_message(str(n)))
    taken: list[int] = []

    def work() -> None:
        try:
            for _round in range(3):
                taken.extend(row.pk for row in inbox._claim()[0])
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 60


def test_replay_puts_back_only_what_is_finished_and_says_who(push_safe: Push) -> None:
    push_safe(push_kit.text_message("done"))
    drain_inbox()
    push_safe(push_kit.text_message("waiting"))
    ids = list(InboundEvent.objects.values_list("pk", flat=True))
    assert replay(event_ids=[*ids, 999_999], actor=STAFF) == 1
    assert AuditEntry.objects.filter(action="wechat.replay", actor_label="总部").count() == 1
    assert drain_inbox() == 2


def test_a_wake_up_is_dispatched_after_the_push_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    from core import events

    woken = threading.Event()
    monkeypatch.setattr(events, "_dispatcher", lambda path, event: woken.set())
    make_account()
    query, body = push_kit.sealed(push_kit.xml(push_kit.text_message("x")))
    assert answer("safe", "POST", query, body).status == 200
    assert woken.wait(30)


def test_retention_deletes_old_finished_pushes_only(push_safe: Push) -> None:
    from wechat.services.retention import prune_gateway

    for n in range(3):
        push_safe(push_kit.text_message(str(n)))
    ids = list(InboundEvent.objects.order_by("pk").values_list("pk", flat=True))
    long_ago = clock.now() - dt.timedelta(days=40)
    InboundEvent.objects.filter(pk__in=ids[:2]).update(received_at=long_ago)
    InboundEvent.objects.filter(pk=ids[0]).update(state="processed")
    assert prune_gateway() == 1
    assert set(InboundEvent.objects.values_list("pk", flat=True)) == set(ids[1:])


def test_the_window_of_an_old_act_is_already_closed(safe_account: Account) -> None:
    acted_at = clock.now() - dt.timedelta(minutes=10)
    until = followers.get_window_until(account_id=safe_account.pk, openid=OPENID, acted_at=acted_at)
    assert until == acted_at + followers.WINDOW_AFTER_ACT
