"""查看手机号 on a member's page: asked for, told once, never before and nowhere else."""

import re
from typing import Any

import pytest
from django.urls import reverse

from guides import services as guide_services
from members import services
from members.contracts import MemberCard
from members.models import PhoneReveal, PrivacySettings
from tests.assistant.conftest import LogIn
from tests.cast import DIRECTOR, Cast

pytestmark = pytest.mark.django_db

PHONE = "13912345678"
FULL = re.compile(r"1[3-9]\d{9}|1[3-9]\d \d{4} \d{4}")


@pytest.fixture
def she(cast: Cast) -> MemberCard:
    """A member of 李娜's with a phone."""
    card = services.register_member(name="小雅", phone=PHONE, source="pos", actor=DIRECTOR)
    guide_services.bind_member(member_id=card.id, guide_id=cast.lina.id, source="staff", actor=DIRECTOR)
    return card


def post(client: Any, public_id: str, **fields: str) -> Any:
    url = reverse("assistant:member-phone-show", args=[public_id])
    return client.post(url, {"reason": "visit"} | fields, HTTP_HX_REQUEST="true")


def test_the_number_is_in_the_answer_to_the_post_alone(cast: Cast, log_in: LogIn, she: MemberCard) -> None:
    client = log_in(cast.lina)
    page = client.get(reverse("assistant:member", args=[she.public_id])).content.decode()
    sheet = client.get(reverse("assistant:member-phone", args=[she.public_id])).content.decode()
    for html in (page, sheet, client.get(reverse("assistant:members")).content.decode()):
        assert not FULL.search(html)
        assert "139 **** 5678" in html or html not in (page, sheet)
    answer = post(client, she.public_id)
    html = answer.content.decode()
    assert "139 1234 5678" in html
    assert f'href="tel:{PHONE}"' in html
    assert answer["Cache-Control"] == "private, no-store"
    assert not FULL.search(client.get(reverse("assistant:member", args=[she.public_id])).content.decode())


def test_the_number_cannot_be_had_by_a_link(cast: Cast, log_in: LogIn, she: MemberCard) -> None:
    url = reverse("assistant:member-phone-show", args=[she.public_id])
    assert log_in(cast.lina).get(url, {"reason": "visit"}).status_code == 405
    assert not PhoneReveal.objects.exists()


def test_without_a_reason_the_dialog_stays(cast: Cast, log_in: LogIn, she: MemberCard) -> None:
    answer = post(log_in(cast.lina), she.public_id, reason="")
    assert (answer.status_code, answer["X-Refusal"]) == (400, "members.reveal_reason_missing")
    assert not FULL.search(answer.content.decode())


def test_another_guides_member_answers_as_an_unknown_one(cast: Cast, log_in: LogIn, she: MemberCard) -> None:
    stranger = log_in(cast.chenjing)
    for public_id in (she.public_id, "NOSUCHMEMBER"):
        for answer in (
            post(stranger, public_id),
            stranger.get(reverse("assistant:member-phone", args=[public_id]), HTTP_HX_REQUEST="true"),
        ):
            assert (answer.status_code, answer["X-Refusal"], answer.content) == (404, "core.not_found", b"")


def test_the_manager_of_her_store_may_see_it(cast: Cast, log_in: LogIn, she: MemberCard) -> None:
    assert post(log_in(cast.zhaoqiang), she.public_id).status_code == 200
    assert post(log_in(cast.wangfang), she.public_id).status_code == 404


def test_over_the_limit_is_refused_with_a_sentence_and_head_office_sees_it(
    cast: Cast, log_in: LogIn, she: MemberCard, client: Any
) -> None:
    PrivacySettings.objects.create(pk=1, guide_reveals_per_hour=1)
    phone = log_in(cast.lina)
    post(phone, she.public_id)
    answer = post(phone, she.public_id)
    assert (answer.status_code, answer["X-Refusal"]) == (429, "members.too_many_reveals")
    client.force_login(cast.head_office)
    tiles = client.get(reverse("admin:index")).context["tiles"]
    assert [tile.number for tile in tiles if "outcome=refused" in tile.url and tile.is_alarm] == ["1"]


def test_a_member_without_a_phone_has_no_button(cast: Cast, log_in: LogIn) -> None:
    client = log_in(cast.lina)
    page = client.get(reverse("assistant:member", args=[cast.xiaomei.public_id])).content.decode()
    assert "/phone/" not in page
    assert post(client, cast.xiaomei.public_id)["X-Refusal"] == "members.no_phone_to_reveal"
