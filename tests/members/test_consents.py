"""Consent: versions that never change, an append-only book, and who may be written to."""

import datetime as dt
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from members import selectors, services
from members.errors import (
    ConsentDoorUnknown,
    ConsentKindTaken,
    ConsentKindUnusable,
    ConsentNotGiven,
    ConsentTextOutdated,
    ConsentTextPublished,
    ConsentTextUnusable,
    NoSuchConsentKind,
    NoSuchConsentText,
    NoSuchMember,
)
from members.models import ConsentEntry, ConsentText
from members.services.holdings_privacy import PrivacyHoldings
from tests.cast import DIRECTOR, Cast, make_follower
from tests.members import privacy_kit as kit
from tests.threads import at_once

STAFF = Actor.staff(1, "总部")


@pytest.fixture
def texts(cast: Cast) -> Cast:
    kit.consent_texts()
    return cast


def agree(member_id: int, kind: str = "marketing", version: int = 1, **values: Any) -> Any:
    said: dict[str, Any] = {"member_id": member_id, "kind": kind, "version": version, "door": "mini_program"}
    return services.agree_consent(**said | {"actor": Actor.member(member_id)} | values)


def withdraw(member_id: int, kind: str = "marketing", **values: Any) -> Any:
    said: dict[str, Any] = {"member_id": member_id, "kind": kind, "door": "mini_program"}
    return services.withdraw_consent(**said | {"actor": Actor.member(member_id)} | values)


@pytest.mark.django_db
def test_yes_and_no_are_entries_and_the_last_one_holds(texts: Cast) -> None:
    she = texts.xiaomei.id
    assert not selectors.may_reach(she)
    said = agree(she)
    assert (said.is_agreed, said.version, said.is_pending, said.offers_erasure) == (True, 1, False, False)
    assert selectors.may_reach(she)
    assert list(selectors.may_reach_ids()) == [she]
    assert not withdraw(she).is_agreed
    assert not selectors.may_reach(she)
    assert not selectors.may_reach_ids().exists()
    assert [line.action_label for line in selectors.list_consent_entries(she)] == ["撤回", "同意"]
    assert (
        AuditEntry.objects.filter(
            action__startswith="members.consent_", subject_kind="members.member"
        ).count()
        == 2
    )


@pytest.mark.django_db
def test_saying_it_twice_is_one_entry(texts: Cast) -> None:
    she = texts.xiaomei.id
    for _twice in range(2):
        agree(she)
    assert ConsentEntry.objects.count() == 1
    for _twice in range(2):
        withdraw(she)
    assert ConsentEntry.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_eight_taps_at_once_are_one_entry(texts: Cast) -> None:
    answers = at_once([lambda: agree(texts.xiaomei.id)] * 8)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert ConsentEntry.objects.count() == 1


@pytest.mark.django_db
def test_withdrawing_the_privacy_policy_offers_to_erase_her(texts: Cast) -> None:
    agree(texts.xiaomei.id, "privacy")
    assert withdraw(texts.xiaomei.id, "privacy").offers_erasure
    agree(texts.xiaomei.id, "marketing")
    assert not withdraw(texts.xiaomei.id, "marketing").offers_erasure


@pytest.mark.django_db
def test_what_cannot_be_agreed_to_is_refused(texts: Cast) -> None:
    she = texts.xiaomei.id
    kit.publish("marketing", "第二版")
    services.draft_consent_text(kind="marketing", title="草稿", body="第三版", actor=DIRECTOR)
    for values, refusal in (
        ({"kind": "nothing"}, NoSuchConsentKind),
        ({"kind": "nul\0"}, NoSuchConsentKind),
        ({"version": 3}, NoSuchConsentText),
        ({"version": 99}, NoSuchConsentText),
        ({"version": 0}, NoSuchConsentText),
        ({"version": 1}, ConsentTextOutdated),
        ({"version": 2, "door": "window"}, ConsentDoorUnknown),
        ({"version": 2, "member_id": 999_999}, NoSuchMember),
    ):
        with pytest.raises(refusal):
            agree(**{"member_id": she} | values)
    assert not ConsentEntry.objects.exists()


@pytest.mark.django_db
def test_what_cannot_be_withdrawn_is_refused(texts: Cast) -> None:
    she = texts.xiaomei.id
    with pytest.raises(ConsentNotGiven):
        withdraw(she)
    with pytest.raises(NoSuchConsentKind):
        withdraw(she, "nothing")
    with pytest.raises(ConsentDoorUnknown):
        withdraw(she, door="window")
    with pytest.raises(NoSuchConsentKind):
        selectors.may_reach(she, "nothing")
    with pytest.raises(NoSuchConsentKind):
        selectors.may_reach_ids("nothing")


@pytest.mark.django_db
def test_a_new_version_asks_those_who_agreed_to_the_old_one(texts: Cast) -> None:
    she, other = texts.xiaomei.id, texts.xiaoli.id
    for kind in ("privacy", "charter", "marketing", "recommendation"):
        agree(she, kind)
    assert selectors.list_pending_consents(she) == ()
    assert {text.kind for text in selectors.list_pending_consents(other)} == {
        "privacy", "charter", "marketing", "recommendation",
    }  # fmt: skip
    withdraw(she, "recommendation")
    kit.publish("privacy", "第二版")
    kit.publish("recommendation", "第二版")
    [pending] = selectors.list_pending_consents(she)
    assert (pending.kind, pending.version) == ("privacy", 2)  # what she withdrew is not asked for again
    assert selectors.may_reach(she)
    agree(she, "privacy", 2)
    assert selectors.list_pending_consents(she) == ()
    withdraw(she, "privacy")
    assert [text.kind for text in selectors.list_pending_consents(she)] == ["privacy"]  # it is required


@pytest.mark.django_db
def test_a_text_published_for_tomorrow_is_not_shown_today(texts: Cast) -> None:
    kit.publish("privacy", "明天的", at=clock.now() + dt.timedelta(days=1))
    current = {text.kind: text.version for text in selectors.list_current_consent_texts()}
    assert current["privacy"] == 1
    with pytest.raises(NoSuchConsentText):
        agree(texts.xiaomei.id, "privacy", 2)


@pytest.mark.django_db
def test_a_published_text_is_never_changed_and_the_entry_proves_what_was_agreed_to(texts: Cast) -> None:
    agree(texts.xiaomei.id)
    text = ConsentText.objects.get(kind__code="marketing")
    with pytest.raises(ConsentTextPublished):
        services.publish_consent_text(text_id=text.pk, actor=DIRECTOR)
    first = ConsentEntry.objects.get().text_digest
    draft = services.draft_consent_text(kind="marketing", title="条款", body="第二版", actor=DIRECTOR)
    again = services.draft_consent_text(kind="marketing", title="条款", body="第二版改", actor=DIRECTOR)
    assert draft == again
    text.refresh_from_db()
    assert text.body == "第一版"
    services.publish_consent_text(text_id=draft, actor=DIRECTOR)
    agree(texts.xiaomei.id, version=2)
    assert ConsentEntry.objects.order_by("pk").last().text_digest != first  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
def test_two_people_drafting_at_once_make_one_draft(texts: Cast) -> None:
    calls = [
        lambda n=n: services.draft_consent_text(kind="privacy", title="条款", body=f"草稿{n}", actor=DIRECTOR)
        for n in range(6)
    ]
    answers = at_once(calls)
    assert len(set(answers)) == 1
    assert ConsentText.objects.filter(published_at=None).count() == 1


@pytest.mark.django_db
def test_unusable_kinds_and_texts_are_refused(texts: Cast) -> None:
    for code, title in (("", "空"), ("Big", "大写"), ("ok", ""), ("ok", "长" * 21), ("a b", "空格")):
        with pytest.raises(ConsentKindUnusable):
            services.create_consent_kind(code=code, title=title, actor=DIRECTOR)
    with pytest.raises(ConsentKindTaken):
        services.create_consent_kind(code="privacy", title="又一个", actor=DIRECTOR)
    for title, body in (("", "文"), ("题", " "), ("题" * 61, "文"), ("题", "文" * 50_001)):
        with pytest.raises(ConsentTextUnusable):
            services.draft_consent_text(kind="privacy", title=title, body=body, actor=DIRECTOR)
    with pytest.raises(NoSuchConsentText):
        services.publish_consent_text(text_id=999_999, actor=DIRECTOR)


@pytest.mark.django_db
def test_marketing_is_never_a_condition_of_membership(cast: Cast) -> None:
    with pytest.raises(ConsentKindUnusable):
        services.create_consent_kind(code="marketing", title="营销", is_required=True, actor=DIRECTOR)
    services.ensure_consent_kinds(actor=DIRECTOR)
    assert services.ensure_consent_kinds(actor=DIRECTOR) == 0


@pytest.mark.django_db
def test_unfollowing_withdraws_the_marketing_consent_once(texts: Cast) -> None:
    she = texts.xiaomei.id
    agree(she)
    for _twice in range(2):
        services.note_unfollow(app_id=texts.app_id, openid=texts.xiaomei_openid, actor=Actor.wechat())
    assert not selectors.may_reach(she)
    assert ConsentEntry.objects.filter(member_id=she, action="withdrawn", door="wechat").count() == 1


@pytest.mark.django_db
def test_a_withdrawal_told_late_does_not_undo_a_newer_yes(texts: Cast) -> None:
    she, now = texts.xiaomei.id, clock.now()
    agree(she, at=now)
    for _twice in range(2):
        assert withdraw(she, at=now - dt.timedelta(seconds=2)).is_agreed
    assert ConsentEntry.objects.count() == 1
    assert not withdraw(she, at=now.replace(microsecond=0)).is_agreed  # the same second, told after it


@pytest.mark.django_db
def test_a_merged_member_is_judged_by_the_last_word_of_both_rows_and_parted_by_her_own(texts: Cast) -> None:
    one, other = texts.xiaomei.id, texts.xiaoli.id
    now = clock.now()
    agree(one, at=now - dt.timedelta(hours=2))
    agree(other, at=now - dt.timedelta(hours=3))
    withdraw(other, at=now - dt.timedelta(hours=1))
    services.request_erasure(member_id=one, actor=STAFF)
    services.request_erasure(member_id=other, actor=STAFF)
    part = PrivacyHoldings()
    preview = part.preview(survivor_id=one, emptier_id=other)
    snapshot = part.move(emptier_id=other, survivor_id=one, actor=STAFF, at=now)
    assert [(line.survivor, line.emptier) for line in preview] == [("1 条", "2 条")]
    assert not selectors.may_reach(one)
    assert [request.state for request in selectors.list_data_requests(one)] == ["withdrawn", "open"]
    part.restore(emptier_id=other, survivor_id=one, snapshot=snapshot, actor=STAFF, at=now)
    assert selectors.may_reach(one)
    assert [request.state for request in selectors.list_data_requests(other)] == ["open"]


@pytest.mark.django_db
def test_who_may_be_reached_is_one_query_for_the_whole_chain(
    texts: Cast, django_assert_num_queries: Any
) -> None:
    for number in range(12):
        member = make_follower("小雅", f"omany{number:02d}_0000000000000000000xx"[:28])
        agree(member.id)
        if number % 3 == 0:
            withdraw(member.id)
    ids = selectors.may_reach_ids()
    with django_assert_num_queries(1):
        assert len(set(ids)) == 8
