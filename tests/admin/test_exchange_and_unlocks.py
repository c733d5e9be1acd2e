"""Exchange codes and sharing to unlock at head office's desk."""

import io
from typing import Any
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from core.actor import Actor
from coupons import selectors, services
from coupons.contracts import ExchangeTerms, UnlockTerms
from coupons.models import Coupon, ExchangeCode, ExchangeSet, UnlockOffer, UnlockShare
from tests.admin.coupon_desk_kit import press
from tests.cast import Cast
from tests.coupons.kit import BOSS, key, make_batch, make_members


def add(desk: Client, page: str, values: dict[str, Any], query: str = "") -> Any:
    return desk.post(reverse(f"admin:coupons_{page}_add") + query, values)


def errors_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


NEW: dict[str, Any] = {"name": "卡片", "kind": "generated", "code_count": "3"}
OFFER: dict[str, Any] = {"name": "邀好友", "needed_count": "2", "lasts_hours": "24"}


def shown(desk: Client, page: str, pk: int) -> str:
    answer = desk.get(reverse(f"admin:coupons_{page}_change", args=[pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def make_set(batch: int, **values: Any) -> int:
    given: dict[str, Any] = {"name": "卡片", "kind": "generated", "code_count": 3}
    terms = ExchangeTerms(**(given | values))
    return services.create_exchange_set(batch_id=batch, terms=terms, actor=BOSS).id


def cells(answer: Any) -> list[tuple[Any, ...]]:
    book = load_workbook(io.BytesIO(answer.content), read_only=True)
    return list(book.worksheets[0].iter_rows(values_only=True))


def test_a_set_is_made_printed_once_used_and_voided(desk: Client, cast: Cast) -> None:
    batch = make_batch()
    assert add(desk, "exchangeset", NEW | {"batch": str(batch)}).status_code == 302
    made = ExchangeSet.objects.get()
    page = shown(desk, "exchangeset", made.pk)
    assert "下载兑换码" in page
    assert 'name="_save"' not in page
    link = reverse("admin:coupons_exchangeset_download", args=[made.pk])
    assert link in page
    question = desk.get(link).content.decode()
    assert "一共 3 个兑换码，只能下载这一次" in question
    file = press(desk, "exchangeset_download", made.pk, format="xlsx")
    head, *rows = cells(file)
    assert head == ("序号", "兑换码")
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert unquote(file["Content-Disposition"]).startswith("attachment; filename*=UTF-8''兑换码-卡片-")
    again = press(desk, "exchangeset_download", made.pk, format="xlsx")
    assert "只能下载一次" in again.content.decode()
    assert link not in shown(desk, "exchangeset", made.pk)
    code = str(rows[1][1])
    services.exchange_code(code=code, member_id=cast.xiaomei.id, request_key=key(), actor=BOSS)
    page = shown(desk, "exchangeset", made.pk)
    assert "小美" in page
    assert "1 / 3" in page
    assert code not in page
    listed = reverse("admin:coupons_exchangecode_changelist")
    for query in (code.lower(), "小美"):
        found = desk.get(listed, {"q": query}).context["cl"].result_list
        assert [row.number for row in found] == [2], query
    assert press(desk, "exchangeset_void", made.pk, reason=" ").status_code == 200
    press(desk, "exchangeset_void", made.pk, reason="印错了")
    assert ExchangeSet.objects.get().state == "voided"
    assert sorted(ExchangeCode.objects.values_list("state", flat=True)) == ["used", "voided", "voided"]
    assert Coupon.objects.get().state == "issued"


def test_a_choice_by_typing_says_what_to_do_while_nothing_is_chosen(desk: Client) -> None:
    page = desk.get(reverse("admin:coupons_unlockoffer_add")).content.decode()
    assert page.count('data-placeholder="请选择"') == 2
    assert 'data-placeholder=""' not in page


def test_codes_also_come_as_csv_and_from_a_file(desk: Client) -> None:
    batch = make_batch()
    text = press(desk, "exchangeset_download", make_set(batch), format="csv").content.decode("utf-8-sig")
    assert text.splitlines()[0] == "序号,兑换码"
    imported = make_set(batch, kind="imported", code_count=0)
    assert "导入兑换码" in shown(desk, "exchangeset", imported)
    file = SimpleUploadedFile("codes.txt", "\ufeffABCD1234\r\nABCD1235\r\nbad\r\n".encode())
    press(desk, "exchangeset_import_codes", imported, file=file)
    assert ExchangeCode.objects.filter(exchange_set=imported).count() == 2


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("code_count", {"code_count": ""}),
        ("code_count", {"code_count": "101"}),
        ("phrase", {"kind": "shared", "phrase": "短"}),
        ("name", {"name": " "}),
        ("batch", {"batch": ""}),
        ("closes_at", {"opens_at_0": "2026-12-02", "opens_at_1": "10:00", "closes_at_0": "2026-12-01", "closes_at_1": "10:00"}),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_at_its_field(desk: Client, field: str, values: dict[str, str]) -> None:
    answer = add(desk, "exchangeset", NEW | {"batch": str(make_batch(100))} | values)
    assert field in errors_of(answer)
    assert not ExchangeSet.objects.exists()


def test_a_batch_without_the_door_is_told_so(desk: Client) -> None:
    answer = add(desk, "exchangeset", NEW | {"batch": str(make_batch(doors=("claim",)))})
    assert "兑换码" in str(errors_of(answer)["batch"])
    closed = str(make_batch(doors=("claim",)))
    answer = add(desk, "unlockoffer", OFFER | {"batch": closed, "friend_batch": closed})
    assert "分享裂变" in str(errors_of(answer)["batch"])


def test_an_offer_is_made_changed_paused_resumed_retried_and_ended(desk: Client, cast: Cast) -> None:
    batch, friends = make_batch(1), make_batch()
    answer = add(desk, "unlockoffer", OFFER | {"batch": str(batch), "friend_batch": str(friends)})
    assert answer.status_code == 302
    offer = UnlockOffer.objects.get()
    url = reverse("admin:coupons_unlockoffer_change", args=[offer.pk])
    assert desk.post(url, OFFER | {"needed_count": "1", "new_members_only": ""}).status_code == 302
    offer.refresh_from_db()
    assert (offer.needed_count, offer.new_members_only, offer.batch_id) == (1, False, batch)
    assert "needed_count" in errors_of(desk.post(url, OFFER | {"needed_count": "101"}))
    press(desk, "unlockoffer_pause", offer.pk)
    assert UnlockOffer.objects.get().state == "paused"
    press(desk, "unlockoffer_resume", offer.pk)
    sharers, helpers = make_members(2), make_members(2)
    for sharer, helper in zip(sharers, helpers, strict=True):
        share = services.start_unlock(offer_public_id=offer.public_id, member_id=sharer, actor=BOSS)
        services.help_unlock(share_public_id=share, member_id=helper, actor=BOSS)
    listed = desk.get(reverse("admin:coupons_unlockoffer_changelist")).content.decode()
    assert "2（100" in listed
    assert "1 位还没拿到券" in listed
    shares = desk.get(reverse("admin:coupons_unlockshare_changelist")).content.decode()
    assert "券已经领完了" in shares
    services.extend_quota(batch_id=batch, more=1, actor=BOSS)
    assert "补发" in desk.get(url).content.decode()
    press(desk, "unlockoffer_retry", offer.pk)
    assert not UnlockShare.objects.filter(coupon__isnull=True).exists()
    assert "算数" in shown(desk, "unlockshare", UnlockShare.objects.earliest("pk").pk)
    press(desk, "unlockoffer_end", offer.pk)
    assert UnlockOffer.objects.get().state == "ended"
    assert reverse("admin:coupons_unlockoffer_resume", args=[offer.pk]) not in desk.get(url).content.decode()


def test_lists_cost_the_same_for_many_rows(desk: Client) -> None:
    batch = make_batch(1000)

    def fill(count: int) -> None:
        for number in range(count):
            make_set(batch, name=f"卡片{number}")
            terms = UnlockTerms(name=f"活动{number}", batch_id=batch, friend_batch_id=batch, needed_count=1)
            offer = services.create_unlock_offer(terms=terms, actor=BOSS)
            sharer, helper = make_members(2)
            public_id = UnlockOffer.objects.get(pk=offer).public_id
            share = services.start_unlock(offer_public_id=public_id, member_id=sharer, actor=BOSS)
            services.help_unlock(share_public_id=share, member_id=helper, actor=BOSS)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            for page in ("exchangeset", "exchangecode", "unlockoffer", "unlockshare"):
                assert desk.get(reverse(f"admin:coupons_{page}_changelist")).status_code == 200
        return len(queries)

    fill(1)
    cost()
    few = cost()
    fill(4)
    assert cost() <= few


def test_a_region_sees_codes_and_links_of_its_members(cast: Cast) -> None:
    cast.regional.user_permissions.set(Permission.objects.filter(content_type__app_label="coupons"))
    east = Client()
    east.force_login(cast.regional)
    batch = make_batch()
    made = make_set(batch)
    taken = services.take_exchange_codes(set_id=made, actor=BOSS).codes
    terms = UnlockTerms(name="活动", batch_id=batch, friend_batch_id=batch)
    offer = UnlockOffer.objects.get(pk=services.create_unlock_offer(terms=terms, actor=BOSS)).public_id
    for code, member in zip(taken, (cast.xiaomei.id, cast.xiaoli.id), strict=False):
        services.exchange_code(code=code, member_id=member, request_key=key(), actor=Actor.system("t"))
        services.start_unlock(offer_public_id=offer, member_id=member, actor=BOSS)
    seen = east.get(reverse("admin:coupons_exchangecode_changelist")).context["cl"].result_list
    assert [row.used_by_id for row in seen] == [cast.xiaomei.id]
    links = east.get(reverse("admin:coupons_unlockshare_changelist")).context["cl"].result_list
    assert [row.member_id for row in links] == [cast.xiaomei.id]
    page = east.get(reverse("admin:coupons_exchangeset_change", args=[made])).content.decode()
    assert "小美" in page
    assert "小丽" not in page
    assert selectors.sum_exchange_sets([made])[made].used_count == 2
