"""Her inbox and her consents to subscription messages, from the mini-program."""

from typing import Any

import pytest
from django.apps import apps

from campaigns.models import GrantEntry, InboxMessage, SubscriptionGrant, TopicTemplate
from core import clock
from members.models import Member
from tests.campaigns.kit import make_template
from tests.miniapp.kit import Mini, Phone, codes

UNKNOWN = "2222222222222222"


@pytest.fixture
def hers(phone: Phone) -> list[InboxMessage]:
    """Three messages of hers, the last the newest."""
    member = Member.objects.get(public_id=phone.get("/profile").data["id"])
    return [
        InboxMessage.objects.create(
            member_id=member.pk,
            topic="sale",
            title=f"第 {number} 条",
            text="您在南京东路店消费了 ¥199。",
            reason_key=f"r{number}",
            sent_at=clock.now(),
        )
        for number in range(3)
    ]


def test_she_lists_them_and_reads_them(phone: Phone, hers: list[InboxMessage]) -> None:
    first = phone.get("/inbox?limit=2").data
    assert [one["title"] for one in first["messages"]] == ["第 2 条", "第 1 条"]
    assert (first["unread_count"], first["messages"][0]["topic_label"]) == (3, "购物")
    rest = phone.get(f"/inbox?limit=2&cursor={first['next_cursor']}").data
    assert ([one["title"] for one in rest["messages"]], rest["next_cursor"]) == (["第 0 条"], None)
    assert phone.get("/inbox/unread").data == {"unread_count": 3}
    for _turn in range(2):
        assert phone.post(f"/inbox/{hers[0].public_id}/read").data == {"unread_count": 2}
    InboxMessage.objects.create(
        member_id=hers[0].member_id,
        topic="sale",
        title="新的",
        text="刚到",
        reason_key="r9",
        sent_at=clock.now(),
    )
    # What came since the page was shown stays unread.
    assert phone.post("/inbox/read-all", {"read_mark": first["read_mark"]}).data == {"unread_count": 1}


def test_anothers_message_and_mark_are_worth_nothing(
    mini: Mini, phone: Phone, hers: list[InboxMessage]
) -> None:
    mark = phone.get("/inbox").data["read_mark"]
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    assert stranger.get("/inbox").data["messages"] == []
    for one in (hers[0].public_id, UNKNOWN):
        assert codes(stranger.post(f"/inbox/{one}/read")) == (404, "campaigns.no_such_inbox_message")
    assert stranger.post("/inbox/read-all", {"read_mark": mark}).status_code == 400
    assert InboxMessage.objects.unread().count() == 3


@pytest.fixture
def offered(phone: Phone) -> str:
    """The mini-program has a template for coupons that end."""
    account = apps.get_model("wechat", "Account").objects.get(app_id=phone.mini.app_id)
    make_template(account.pk, "tpl-mini")
    TopicTemplate.objects.create(
        topic="coupon_expiring", account_id=account.pk, kind="subscription", template_id="tpl-mini", fields={}
    )
    return "tpl-mini"


def test_she_is_asked_for_what_fits_the_scene_and_her_consent_counts_once(phone: Phone, offered: str) -> None:
    assert phone.get("/subscribe-templates?scene=tier").data == {"templates": []}
    [one] = phone.get("/subscribe-templates?scene=home").data["templates"]
    assert (one["template_id"], one["topic"], one["grant_count"]) == (offered, "coupon_expiring", 0)
    body = {"request_key": "tap-00000001", "answers": [{"template_id": offered, "answer": "accept"}]}
    for _turn in range(3):
        assert phone.post("/subscribe-answers", body).data == {"noted": True}
    assert phone.get("/subscribe-templates?scene=home").data["templates"][0]["grant_count"] == 1
    assert GrantEntry.objects.count() == 1


@pytest.mark.parametrize("answer", ["reject", "ban", "filter"])
def test_a_refusal_and_a_foreign_template_count_nothing(phone: Phone, offered: str, answer: str) -> None:
    told = [
        {"template_id": offered, "answer": answer},
        {"template_id": "tpl-of-somebody-else", "answer": "accept"},
    ]
    phone.post("/subscribe-answers", {"request_key": "tap-00000001", "answers": told})
    assert not SubscriptionGrant.objects.exists()


BODIES: tuple[Any, ...] = (
    {}, [], {"request_key": "x", "answers": []}, {"request_key": "tap-00000001", "answers": []},
    {"request_key": "tap-00000001", "answers": [{"template_id": "t", "answer": "maybe"}]},
    {"request_key": "tap-00000001", "answers": [{"template_id": "t" * 65, "answer": "accept"}]},
    {"request_key": "tap-00000001", "answers": [{"template_id": "t", "answer": "accept"}] * 6},
)  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_what_is_no_report_is_refused(phone: Phone, offered: str, body: Any) -> None:
    assert phone.post("/subscribe-answers", body).status_code == 400
    assert phone.get("/subscribe-templates?scene=nowhere").status_code == 400
    assert not SubscriptionGrant.objects.exists()
