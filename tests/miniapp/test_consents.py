"""What she is asked to agree to, says, and takes back."""

from typing import Any

import pytest

from core.models import AuditEntry
from members import selectors
from members.models import ConsentEntry, Member
from tests.members import privacy_kit as kit
from tests.miniapp.kit import API, Mini, Phone, codes


@pytest.fixture(autouse=True)
def _texts(transactional_db: None) -> None:
    kit.consent_texts()


def said(phone: Phone, kind: str) -> Any:
    return next(line for line in phone.get("/consents").data["consents"] if line["kind"] == kind)


def agree(phone: Phone, kind: str = "privacy", version: Any = 1) -> Any:
    return phone.post("/consents/agree", {"kind": kind, "version": version})


def test_logging_in_says_what_is_to_be_shown(mini: Mini) -> None:
    phone = mini.phone_of()
    assert phone.log_in().data["pending_consents"] == ["privacy", "charter", "marketing", "recommendation"]
    for kind in ("privacy", "charter", "marketing"):
        agree(phone, kind)
    phone.post("/consents/withdraw", {"kind": "marketing"})
    assert phone.log_in().data["pending_consents"] == ["recommendation"]
    kit.publish("privacy", "第二版")
    assert phone.log_in().data["pending_consents"] == ["privacy", "recommendation"]


def test_the_texts_can_be_read_before_logging_in(mini: Mini) -> None:
    texts = mini.phone_of().get("/consents/texts").data["texts"]
    assert [text["kind"] for text in texts] == ["privacy", "charter", "marketing", "recommendation"]
    assert {(text["version"], text["body"]) for text in texts} == {(1, "第一版")}


def test_she_agrees_once_however_often_she_says_so(phone: Phone) -> None:
    assert said(phone, "privacy")["is_pending"]
    for _ in range(2):
        told = agree(phone).data
        assert (told["is_agreed"], told["is_pending"], told["version"]) == (True, False, 1)
    entry = ConsentEntry.objects.get()
    assert (entry.door, entry.text.version) == ("mini_program", 1)
    assert said(phone, "privacy") == told
    assert said(phone, "marketing")["version"] is None


def test_she_takes_it_back_and_the_chain_obeys(phone: Phone) -> None:
    member_id = Member.objects.get(public_id=phone.get("/profile").data["id"]).pk
    agree(phone, "marketing")
    assert selectors.may_reach(member_id)
    for _ in range(2):
        told = phone.post("/consents/withdraw", {"kind": "marketing"}).data
        assert (told["is_agreed"], told["is_pending"], told["offers_erasure"]) == (False, False, False)
    assert not selectors.may_reach(member_id)
    assert AuditEntry.objects.filter(action="members.consent_withdrawn").count() == 1


def test_who_withdraws_the_privacy_policy_is_offered_to_be_erased(phone: Phone) -> None:
    agree(phone)
    told = phone.post("/consents/withdraw", {"kind": "privacy"}).data
    assert (told["is_agreed"], told["offers_erasure"], told["is_pending"]) == (False, True, True)
    assert said(phone, "privacy")["is_pending"]


def test_an_older_version_is_no_agreement_to_the_newer(phone: Phone) -> None:
    kit.publish("privacy", "第二版")
    assert codes(agree(phone, version=1)) == (409, "members.consent_text_outdated")
    assert agree(phone, version=2).data["version"] == 2


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("agree", {"kind": "privacy", "version": 9}, (404, "members.no_such_consent_text")),
        ("agree", {"kind": "nothing", "version": 1}, (404, "members.no_such_consent_kind")),
        ("agree", {"kind": "privacy"}, (400, "core.invalid_input")),
        ("agree", {"kind": "privacy", "version": 0}, (400, "core.invalid_input")),
        ("agree", {"kind": "privacy", "version": 2**31}, (400, "core.invalid_input")),
        ("agree", {"kind": "privacy", "version": "one"}, (400, "core.invalid_input")),
        ("agree", {"kind": ["privacy"], "version": 1}, (400, "core.invalid_input")),
        ("agree", {"kind": "k" * 21, "version": 1}, (400, "core.invalid_input")),
        ("agree", {"kind": "privacy", "version": 1, "door": "pos"}, (400, "core.invalid_input")),
        ("withdraw", {"kind": "privacy"}, (409, "members.consent_not_given")),
        ("withdraw", {"kind": "nothing"}, (404, "members.no_such_consent_kind")),
        ("withdraw", {}, (400, "core.invalid_input")),
    ],
)
def test_what_cannot_be_said_is_refused(
    phone: Phone, path: str, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert codes(phone.post(f"/consents/{path}", body)) == expected
    assert not ConsentEntry.objects.exists()


def test_what_another_says_is_not_hers(mini: Mini, phone: Phone) -> None:
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    agree(stranger)
    assert not said(phone, "privacy")["is_agreed"]


def test_a_page_of_consents_costs_few_queries(phone: Phone, django_assert_max_num_queries: Any) -> None:
    agree(phone)
    for path in ("/consents", "/consents/texts"):
        with django_assert_max_num_queries(12):
            assert phone.get(path).status_code == 200


def test_consents_need_a_token_and_texts_do_not(mini: Mini) -> None:
    nobody = mini.phone_of()
    for method, path in (("GET", ""), ("POST", "/agree"), ("POST", "/withdraw")):
        assert codes(nobody.ask(method, f"/consents{path}")) == (401, "miniapp.token_missing")
    assert nobody.client.get(f"{API}/consents/texts").status_code == 200
