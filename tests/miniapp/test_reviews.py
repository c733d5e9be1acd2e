"""Reviews from the mini-program: listed, answered once, another's unknown."""

from typing import Any

import pytest

from members import selectors as member_selectors
from members.models import Member
from sales.models import Review
from tests.miniapp.kit import Mini, Phone, codes
from tests.sales.reviews_kit import ask_at_once, make_review

UNKNOWN = "2222222222222222"


@pytest.fixture
def hers(phone: Phone, cast: Any) -> list[Review]:
    """Three orders of 小美 that she may rate."""
    ask_at_once(low_score_kind="")
    member = Member.objects.get(public_id=phone.get("/profile").data["id"])
    card = member_selectors.get_member_card(member.pk)
    return [make_review(card, f"O{number}") for number in range(3)]


def test_she_lists_and_answers_them(phone: Phone, hers: list[Review]) -> None:
    first = phone.get("/reviews?limit=2").data
    assert [one["order_no"] for one in first["reviews"]] == ["O2", "O1"]
    assert first["open_count"] == 3
    rest = phone.get(f"/reviews?limit=2&cursor={first['next_cursor']}").data
    assert ([one["order_no"] for one in rest["reviews"]], rest["next_cursor"]) == (["O0"], None)
    address = f"/reviews/{hers[0].public_id}"
    said = phone.post(f"{address}/answer", {"score": 4, "words": "很好"}).data
    assert (said["state"], said["score"], said["words"]) == ("answered", 4, "很好")
    assert phone.post(f"{address}/answer", {"score": 4, "words": "很好"}).data == said
    assert phone.get(address).data == said
    assert codes(phone.post(f"{address}/answer", {"score": 5})) == (409, "sales.review_answered")
    assert phone.get("/reviews").data["open_count"] == 2


BODIES: tuple[Any, ...] = (
    {}, {"score": 0}, {"score": 6}, {"score": "many"}, {"score": True}, {"score": 5, "stars": 5},
    {"score": 5, "words": "长" * 281}, {"score": 5, "words": "a\0b" * 400}, [], "5",
)  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_what_is_no_answer_changes_nothing(phone: Phone, hers: list[Review], body: Any) -> None:
    assert phone.post(f"/reviews/{hers[0].public_id}/answer", body).status_code == 400
    assert Review.objects.filter(state="open").count() == 3


def test_anothers_cursor_and_id_are_worth_nothing(mini: Mini, phone: Phone, hers: list[Review]) -> None:
    cursor = phone.get("/reviews?limit=1").data["next_cursor"]
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    assert stranger.get(f"/reviews?cursor={cursor}").status_code == 400
    for one in (hers[0].public_id, UNKNOWN):
        assert codes(stranger.post(f"/reviews/{one}/answer", {"score": 5})) == (404, "sales.no_such_review")
    assert Review.objects.filter(state="open").count() == 3
