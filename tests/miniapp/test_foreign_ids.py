"""Every id that stands in an address, of every endpoint: another member's looks exactly like one that does not exist."""

import re
from typing import Any

import pytest
from django.urls import URLPattern

from campaigns.models import InboxMessage
from core import clock
from members import selectors as member_selectors
from members.models import Member
from miniapp import urls
from tests.guides.requests_kit import make_kinds
from tests.miniapp.kit import Mini, Phone
from tests.sales.kit import key_of, order, tell
from tests.sales.reviews_kit import ask_at_once, make_review

UNKNOWN = "2222222222222222"
# What is no member's own: stores are open to all, batches, offers and links to them are passed on to friends. Her
# coupons have veiled ids; tests/miniapp/test_coupons.py tries a stranger's on every endpoint.
# A campaign is many members'; tests/miniapp/test_campaigns.py asks as one who is not in it.
OPEN = {"store_id", "batch_id", "offer_id", "share_id", "campaign_id"}
_SLOT = re.compile(r"<public_id:(\w+)>")


def slots() -> list[tuple[str, str, str]]:
    """(address with a slot, the slot's name, method) of every endpoint with an id in its address."""
    found = []
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        address = str(pattern.pattern)
        for name in _SLOT.findall(address):
            view = pattern.callback.view_class  # type: ignore[attr-defined]
            methods = [
                verb.upper() for verb in ("get", "post", "patch", "put", "delete") if hasattr(view, verb)
            ]
            found += [(address, name, method) for method in methods]
    return found


def ask(phone: Phone, cast: Any) -> str:
    """The id of a service request of hers."""
    asked = {
        "kind": "repair",
        "words": "裤脚开线了",
        "request_key": "request-1",
        "store_id": cast.store.public_id,
    }
    return str(phone.post("/requests", asked).data["id"])


@pytest.fixture
def hers(phone: Phone, cast: Any) -> dict[str, str]:
    """One of everything that is 小美's, by what it is."""
    make_kinds()
    ask_at_once()
    public_id = phone.get("/profile").data["id"]
    tell(order("P1", member=key_of(Member.objects.get(public_id=public_id))))
    told = InboxMessage.objects.create(
        member=Member.objects.get(public_id=public_id), topic="sale", title="购物通知", text="您消费了 ¥199。",
        reason_key="hers", sent_at=clock.now(),
    )  # fmt: skip
    return {
        "message": told.public_id,
        "order": phone.get("/orders").data["orders"][0]["id"],
        "device": phone.device_id,
        "request": ask(phone, cast),
        "data request": phone.post("/data-requests", {"kind": "export"}).data["id"],
        "member": public_id,
        "review": make_review(
            member_selectors.get_member_card(Member.objects.get(public_id=public_id).pk)
        ).public_id,
        "code": Member.objects.get(public_id=public_id).code.rjust(16, "2"),
    }


def test_there_are_ids_in_addresses() -> None:
    assert {name for _address, name, _method in slots()} == {
        "device_id",
        "message_id",
        "order_id",
        "request_id",
        "review_id",
        *OPEN,
    }
    assert len(slots()) >= 8


@pytest.mark.parametrize(("address", "name", "method"), [slot for slot in slots() if slot[1] not in OPEN])
def test_anothers_id_looks_like_an_unknown_one(
    mini: Mini, phone: Phone, hers: dict[str, str], cast: Any, address: str, name: str, method: str
) -> None:
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    # A mark of her own, so that nothing but the id is wrong.
    mark = stranger.get(f"/requests/{ask(stranger, cast)}").data["read_mark"]

    def answer(one: str) -> tuple[int, Any, dict[str, str]]:
        bodies: dict[str, dict[str, Any]] = {
            "request_id/read": {"read_mark": mark},
            "review_id/answer": {"score": 5},
        }
        body = bodies.get(f"{name}/{address.rpartition('/')[2]}", {})
        got = stranger.ask(method, "/" + _SLOT.sub(one, address), body)
        heads = {key: value for key, value in got.headers.items() if key not in {"Date", "Content-Length"}}
        return got.status_code, got.data, heads

    unknown = answer(UNKNOWN)
    assert unknown[0] == 404
    # A file may be asked for six times an hour, so ids of reviews, orders and messages are tried where those are.
    tried = {
        kind: one
        for kind, one in hers.items()
        if kind not in {"review", "order", "message"} or name == f"{kind}_id"
    }
    assert {kind for kind, one in tried.items() if answer(one) != unknown} == set()
    # Nothing of hers was touched.
    assert phone.get(f"/requests/{hers['request']}").data["state"] == "open"
    assert phone.get("/data-requests").data["requests"][0]["state"] == "open"
    assert phone.get("/inbox/unread").data["unread_count"] == 1
    assert [device["is_this"] for device in phone.get("/devices").data["devices"]] == [True]
