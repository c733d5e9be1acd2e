"""The privacy desk: requests, reveals and consents as staff work with them."""

import datetime as dt
import io
import re
import zipfile
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from core import clock
from core.actor import Actor
from guides import services as guide_services
from members import selectors, services
from members.models import ConsentKind, ConsentText, DataRequest, Member, PhoneReveal, PrivacySettings
from members.services.holdings import all_holdings
from tests.admin.account_kit import make_push
from tests.cast import DIRECTOR, Cast
from tests.members import privacy_kit as kit

CONFIRMED = {"_confirmed": "1"}
LATE = "逾期没有删除的资料"
FULL = re.compile(r"(?<![\d.])1[3-9]\d{9}(?!\d)|1[3-9]\d \d{4} \d{4}")


@pytest.fixture
def she(cast: Cast) -> int:
    """A member with traces in all parts; her id."""
    return kit.plant(cast)


def open_button(desk: Client, name: str, pk: int, **fields: str) -> Any:
    return desk.post(reverse(f"admin:members_{name}", args=[pk]), CONFIRMED | fields)


def test_staff_see_the_phone_once_and_after_saying_why(desk: Client, she: int) -> None:
    page = desk.get(reverse("admin:members_member_change", args=[she])).content.decode()
    assert "139 **** 5678" in page
    assert not FULL.search(page)
    refused = open_button(desk, "member_reveal", she, reason="other", request_key="k")
    assert refused.context["form"].errors["reason"]
    shown = open_button(desk, "member_reveal", she, reason="visit", request_key="k")
    assert "139 1234 5678" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert PhoneReveal.objects.filter(actor_kind="staff").count() == 1


def test_another_part_of_the_chain_and_an_unknown_id_answer_alike(
    east_desk: Client, cast: Cast, she: int
) -> None:
    guide_services.rebind_member(
        member_id=she, guide_id=cast.chenjing.id, source="staff", reason="x", actor=DIRECTOR
    )
    for name in ("member_reveal", "member_request_data"):
        answers = [open_button(east_desk, name, pk, reason="visit", request_key="k") for pk in (she, 999_999)]
        assert [(answer.status_code, answer["Location"]) for answer in answers] == [
            (302, reverse("admin:index"))
        ] * 2
    assert not PhoneReveal.objects.filter(actor_kind="staff").exists()


def test_without_the_right_there_is_no_button_and_no_way(cast: Cast, she: int) -> None:
    from django.contrib.auth.models import Permission

    cast.regional.user_permissions.set(Permission.objects.filter(codename="view_member"))
    client = Client()
    client.force_login(cast.regional)
    assert open_button(client, "member_reveal", she, reason="visit", request_key="k").status_code == 403
    page = client.get(reverse("admin:members_member_change", args=[she])).content.decode()
    assert "reveal-phone" not in page


def test_a_request_is_entered_done_and_fetched(desk: Client, she: int) -> None:
    open_button(desk, "member_request_data", she, kind="export")
    request = DataRequest.objects.get()
    answer = open_button(desk, "datarequest_download", request.pk)
    assert answer["Content-Type"] == "application/zip"
    assert "no-store" in answer["Cache-Control"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert not any(FULL.search(archive.read(name).decode()) for name in archive.namelist())
    request.refresh_from_db()
    assert request.state == "done"


def test_an_erasure_says_in_numbers_what_will_go_and_goes(desk: Client, she: int) -> None:
    open_button(desk, "member_request_data", she, kind="erase")
    request = DataRequest.objects.get()
    asked = desk.get(reverse("admin:members_datarequest_erase", args=[request.pk]))
    lines = [str(line) for line in asked.context["question"].lines]
    notes = next(part.title for part in all_holdings() if part.label == "notes")
    assert any(line.startswith(f"{notes}：2") for line in lines)
    assert asked.context["question"].is_dangerous
    assert Member.objects.get(pk=she).stage == "member"
    open_button(desk, "datarequest_erase", request.pk)
    assert Member.objects.get(pk=she).stage == "erased"
    assert kit.traces() == []
    page = desk.get(reverse("admin:members_member_change", args=[she])).content.decode()
    assert "已注销会员" in page
    listed = desk.get(reverse("admin:members_member_changelist")).context["cl"].result_list
    assert she not in [row.pk for row in listed]


def test_her_own_wish_cannot_be_hurried(desk: Client, she: int) -> None:
    card = services.request_erasure(member_id=she, actor=Actor.member(she))
    answer = open_button(desk, "datarequest_erase", card.id)
    assert answer.context["form"].non_field_errors()
    assert Member.objects.get(pk=she).stage == "member"
    open_button(desk, "datarequest_withdraw", card.id)
    assert DataRequest.objects.get().state == "withdrawn"


def test_texts_are_drafted_compared_and_published_and_then_fixed(desk: Client, cast: Cast) -> None:
    desk.post(reverse("admin:members_consentkind_fill_standard"))
    desk.get(reverse("admin:members_consentkind_fill_standard"))
    kind = ConsentKind.objects.get(code="privacy")
    fields = {"kind": kind.pk, "title": "隐私政策", "body": "第一行\n第二行", "change_note": ""}
    desk.post(reverse("admin:members_consenttext_add"), fields)
    first = ConsentText.objects.get()
    open_button(desk, "consenttext_publish", first.pk)
    services.agree_consent(member_id=cast.xiaomei.id, kind="privacy", version=1, door="staff", actor=DIRECTOR)
    desk.post(reverse("admin:members_consenttext_add"), fields | {"body": "第一行\n改了的第二行"})
    draft = ConsentText.objects.get(version=2)
    url = reverse("admin:members_consenttext_change", args=[draft.pk])
    desk.post(url, fields | {"body": "第一行\n又改了的第二行"})
    page = desk.get(url).content.decode()
    assert "<ins>又改了的第二行</ins>" in page
    assert "<del>第二行</del>" in page
    asked = desk.get(reverse("admin:members_consenttext_publish", args=[draft.pk]))
    assert any("1 位" in str(line) for line in asked.context["question"].lines)
    open_button(desk, "consenttext_publish", draft.pk)
    assert [text.version for text in selectors.list_pending_consents(cast.xiaomei.id)] == [2]
    desk.post(url, fields | {"body": "偷偷改"})
    draft.refresh_from_db()
    assert draft.body == "第一行\n又改了的第二行"


def test_a_region_may_look_at_texts_and_change_none(east_desk: Client, cast: Cast) -> None:
    kit.consent_texts()
    assert east_desk.get(reverse("admin:members_consenttext_changelist")).status_code == 200
    assert east_desk.post(reverse("admin:members_consenttext_add"), {}).status_code == 403
    draft = services.draft_consent_text(kind="privacy", title="草稿", body="草稿", actor=DIRECTOR)
    assert open_button(east_desk, "consenttext_publish", draft).status_code == 403
    assert ConsentText.objects.get(pk=draft).published_at is None


def test_a_kind_is_made_and_its_code_stays(desk: Client, cast: Cast) -> None:
    fields = {"title": "生日礼", "code": "birthday", "order": 9}
    desk.post(reverse("admin:members_consentkind_add"), fields)
    kind = ConsentKind.objects.get()
    url = reverse("admin:members_consentkind_change", args=[kind.pk])
    desk.post(url, {"title": "生日礼遇", "code": "other", "order": 8})
    kind.refresh_from_db()
    assert (kind.title, kind.code, kind.order) == ("生日礼遇", "birthday", 8)
    bad = desk.post(
        reverse("admin:members_consentkind_add"),
        {"title": "营销", "code": "marketing", "order": 1, "is_required": "on"},
    )
    assert bad.status_code == 200
    assert bad.context["adminform"].form.errors


def test_the_settings_are_one_row(desk: Client, cast: Cast) -> None:
    names = "guide_reveals_per_hour guide_reveals_per_day staff_reveals_per_hour staff_reveals_per_day"
    others = "member_reveals_per_day cooling_off_days request_due_days phone_rest_days"
    values = dict.fromkeys(f"{names} {others}".split(), 3)
    desk.post(reverse("admin:members_privacysettings_add"), values | {"unfollow_keep_days": ""})
    assert PrivacySettings.objects.get().pk == 1
    assert selectors.get_privacy_decisions().unfollow_keep_days is None
    assert selectors.get_privacy_decisions().phone_rest_days == 3
    assert desk.get(reverse("admin:members_privacysettings_add")).status_code == 403


def test_the_lists_are_searched_and_filtered(desk: Client, she: int) -> None:
    for name, query in (
        ("phonereveal", "q=李娜"), ("phonereveal", "q=慕雪"), ("phonereveal", "outcome=shown&reason=other"),
        ("consententry", "q=慕雪&action=agreed&door=pos"), ("consenttext", "state=published"),
    ):  # fmt: skip
        answer = desk.get(f"{reverse(f'admin:members_{name}_changelist')}?{query}")
        assert answer.context["cl"].result_count > 0, (name, query)
        assert not FULL.search(answer.content.decode())
    assert not [str(message) for message in get_messages(answer.wsgi_request)]


def test_what_wechat_obliges_to_delete_is_shown_with_its_day(desk: Client, cast: Cast) -> None:
    now = clock.now()
    services.note_unfollow(app_id=cast.app_id, openid=cast.xiaomei_openid, actor=Actor.wechat(), at=now)
    make_push(
        cast.account_id,
        1,
        kind="event.user_authorization_revoke",
        state="failed",
        at=now - dt.timedelta(hours=1),
    )
    assert [(row[2], row[4]) for row in duty_rows(desk)] == [("1", "—"), ("1", "1"), ("0", "—")]
    assert duty_rows(desk)[0][1] == "取消关注后第 30 天"
    assert LATE not in desk.get(reverse("admin:index")).content.decode()
    PrivacySettings.objects.create(pk=1)
    services.note_unfollow(app_id=cast.app_id, openid=cast.xiaoli_openid, actor=Actor.wechat(), at=now)
    Member.objects.update(follow_changed_at=now - dt.timedelta(days=31))
    assert [row[4] for row in duty_rows(desk)] == ["2", "1", "—"]
    assert LATE in desk.get(reverse("admin:index")).content.decode()


def duty_rows(desk: Client) -> list[tuple[str, ...]]:
    page = desk.get(reverse("admin:members_privacysettings_changelist"), follow=True)
    rows: list[tuple[str, ...]] = next(
        panel.context["rows"] for panel in page.context["panels"] if "heads" in panel.context
    )
    return rows
