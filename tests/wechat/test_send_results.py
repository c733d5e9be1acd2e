"""What WeChat pushes about messages and consents becomes events, in whatever shape its lists come."""

import json
from typing import Any

import pytest

from core import events
from core.errors import Unavailable
from core.events import Event
from tests.wechat import push_kit
from tests.wechat.conftest import Push
from wechat.events import MassSettled, SubscriptionAnswered, SubscriptionSettled, TemplateDelivered
from wechat.models import InboundEvent
from wechat.services.callback import answer
from wechat.services.inbox import drain_inbox
from wechat.services.send_results import read_status

pytestmark = pytest.mark.django_db(transaction=True)

HEARD: list[Event] = []


def hear(event: Event) -> None:
    HEARD.append(event)


@pytest.fixture(autouse=True)
def _listening(monkeypatch: pytest.MonkeyPatch) -> None:
    HEARD.clear()
    for kind in (MassSettled, TemplateDelivered, SubscriptionAnswered, SubscriptionSettled):
        monkeypatch.setitem(events._routes, kind, (f"{__name__}.hear",))


def entry(template_id: str, **more: Any) -> dict[str, Any]:
    return {"TemplateId": template_id, **more}


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("success", "success"),
        ("failed:user block", "blocked"),
        ("failed: user block", "blocked"),
        ("failed: system failed", "failed"),
        ("failed:system failed", "failed"),
        ("failed:freq limit", "failed"),
        ("", "failed"),
        ("SUCCESS", "success"),
    ],
)
def test_a_delivery_is_one_of_three(said: str, status: str) -> None:
    assert read_status(said) == status


def test_a_template_message_s_delivery_is_told_with_its_id(push_safe: Push) -> None:
    push_safe(push_kit.event("TEMPLATESENDJOBFINISH", MsgID=200163836, Status="failed:user block"))
    drain_inbox()
    told = HEARD[0]
    assert isinstance(told, TemplateDelivered)
    assert (told.message_id, told.status, told.app_id) == ("200163836", "blocked", push_kit.APP_ID)
    assert InboundEvent.objects.get().state == "processed"


CHECKED = {"Count": 1, "ResultList": {"item": {"ArticleIdx": 1, "CanReprint": 0}}, "CheckState": 3}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"Status": "send success", "TotalCount": 10, "FilterCount": 8, "SentCount": 7, "ErrorCount": 1},
         (True, 0, 10, 8, 7, 1, 0)),
        ({"Status": "sendsuccess", "CopyrightCheckResult": {"Count": 0, "ResultList": "", "CheckState": 1}},
         (True, 0, 0, 0, 0, 0, 1)),
        ({"Status": "err(30003)", "TotalCount": 10, "CopyrightCheckResult": CHECKED}, (False, 30003, 10, 0, 0, 0, 3)),
        ({"Status": "err (10001)", "CopyrightCheckResult": ""}, (False, 10001, 0, 0, 0, 0, 0)),
        ({"Status": "send fail", "TotalCount": "many", "SentCount": -5}, (False, 0, 0, 0, 0, 0, 0)),
        ({"Status": "err(what)", "TotalCount": "9" * 30}, (False, 0, 2**31 - 1, 0, 0, 0, 0)),
        ({}, (False, 0, 0, 0, 0, 0, 0)),
    ],
)  # fmt: skip
def test_the_result_of_a_mass_message(push_safe: Push, said: dict[str, Any], told: tuple[int, ...]) -> None:
    """It comes from WeChat's own helper, with an id that is no message's to a person."""
    push_safe(push_kit.event("MASSSENDJOBFINISH", MsgID=1000001625, **said))
    drain_inbox()
    heard = HEARD[0]
    assert isinstance(heard, MassSettled)
    assert heard.message_id == "1000001625"
    assert told == (
        heard.is_sent,
        heard.reason,
        heard.total_count,
        heard.filtered_count,
        heard.reached_count,
        heard.error_count,
        heard.copyright_state,
    )
    assert InboundEvent.objects.get().state == "processed"


def test_the_pop_up_answers_for_several_templates_at_once(push_safe: Push) -> None:
    """In XML: an element repeated."""
    head = push_kit.event("subscribe_msg_popup_event")
    entries = "".join(
        f"<List><TemplateId>{name}</TemplateId><SubscribeStatusString>{said}</SubscribeStatusString>"
        "<PopupScene>2</PopupScene></List>"
        for name, said in (("A", "accept"), ("B", "reject"))
    )
    body = push_kit.xml(head).replace(
        "</xml>", f"<SubscribeMsgPopupEvent>{entries}</SubscribeMsgPopupEvent></xml>"
    )
    query, sealed = push_kit.sealed(body)
    answer("safe", "POST", query, sealed)
    drain_inbox()
    told = [
        (event.template_id, event.is_accepted, event.is_setting)
        for event in HEARD
        if isinstance(event, SubscriptionAnswered)
    ]
    assert told == [("A", True, False), ("B", False, False)]


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        (None, []),
        ([], []),
        ("text", []),
        (entry("A", SubscribeStatusString="accept"), [("A", True)]),
        ([entry("A", SubscribeStatusString="accept")], [("A", True)]),
        (
            [entry("A", SubscribeStatusString="accept"), entry("B", SubscribeStatusString="reject")],
            [("A", True), ("B", False)],
        ),
        ([entry("", SubscribeStatusString="accept"), {}, 5], []),
        ([{"TemplateId": ["A"], "SubscribeStatusString": "accept"}], []),
    ],
)
def test_json_lists_are_objects_arrays_or_missing(push_safe: Push, listed: Any, told: Any) -> None:
    fields = push_kit.event("subscribe_msg_popup_event")
    if listed is not None:
        fields["List"] = listed
    query, body = push_kit.sealed(json.dumps(fields))
    answer("safe", "POST", query, body)
    drain_inbox()
    answers = [event for event in HEARD if isinstance(event, SubscriptionAnswered)]
    assert [(event.template_id, event.is_accepted) for event in answers] == told
    assert InboundEvent.objects.get().state == "processed"


def test_a_change_of_settings_is_told_apart_from_the_pop_up(push_safe: Push) -> None:
    push_safe(
        push_kit.event(
            "subscribe_msg_change_event",
            SubscribeMsgChangeEvent={"List": entry("A", SubscribeStatusString="reject")},
        )
    )
    drain_inbox()
    told = HEARD[0]
    assert isinstance(told, SubscriptionAnswered)
    assert (told.is_accepted, told.is_setting) == (False, True)


@pytest.mark.parametrize(("code", "errcode"), [(0, 0), (43101, 43101), ("x", -1)])
def test_a_subscribe_message_s_delivery_has_its_code(push_safe: Push, code: Any, errcode: int) -> None:
    inner = entry("A", MsgID="1864323726461255680", ErrorCode=code, ErrorStatus="success")
    push_safe(push_kit.event("subscribe_msg_sent_event", SubscribeMsgSentEvent={"List": inner}))
    drain_inbox()
    told = HEARD[0]
    assert isinstance(told, SubscriptionSettled)
    assert (told.message_id, told.errcode, told.is_delivered) == (
        "1864323726461255680",
        errcode,
        errcode == 0,
    )


def test_two_results_of_one_second_are_two_and_a_retry_is_one(push_safe: Push) -> None:
    for message_id in ("1", "2", "2"):
        inner = entry("A", MsgID=message_id, ErrorCode=0)
        push_safe(
            {
                **push_kit.event("subscribe_msg_sent_event", SubscribeMsgSentEvent={"List": inner}),
                "CreateTime": 1_790_000_000,
            }
        )
    drain_inbox()
    assert [event.message_id for event in HEARD if isinstance(event, SubscriptionSettled)] == ["1", "2"]


def not_yet(event: Event) -> None:
    raise Unavailable


def test_a_result_that_is_faster_than_the_sender_waits(push_safe: Push, monkeypatch: Any) -> None:
    monkeypatch.setitem(events._routes, TemplateDelivered, (f"{__name__}.not_yet",))
    push_safe(push_kit.event("TEMPLATESENDJOBFINISH", MsgID=5, Status="success"))
    drain_inbox()
    assert InboundEvent.objects.get().state == "stored"
    monkeypatch.setitem(events._routes, TemplateDelivered, (f"{__name__}.hear",))
    InboundEvent.objects.update(retry_not_before=None)
    drain_inbox()
    assert len(HEARD) == 1


def test_results_of_an_account_without_listeners_are_processed(push_plain: Push, monkeypatch: Any) -> None:
    monkeypatch.setitem(events._routes, TemplateDelivered, ())
    push_plain(push_kit.event("TEMPLATESENDJOBFINISH", MsgID=5, Status="success"))
    drain_inbox()
    assert InboundEvent.objects.get().state == "processed"
