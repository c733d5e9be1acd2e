"""编号对应: looked up, taken back and put back by who may; and a re-attribution that changes nothing."""

import pytest
from django.test import Client
from django.urls import reverse

from sales import services
from sales.contracts import MemberKey
from sales.errors import NoSuchAlias
from sales.models import Attribution, CodeAlias, HeldDocument, MemberAlias, Sale
from tests.admin.sales_desk_kit import fill_sales, page_text, staff_with
from tests.cast import Cast
from tests.sales.kit import TILL, order, tell

pytestmark = pytest.mark.django_db


def test_an_alias_is_found_forgotten_and_restored(desk: Client, cast: Cast) -> None:
    fill_sales(cast)
    alias = CodeAlias.objects.get()
    listed = reverse("admin:sales_codealias_changelist")
    for asked in ("old7", "李娜", "T001"):
        assert "OLD7" in page_text(desk.get(listed, {"q": asked}))
    assert "没有" in page_text(desk.get(listed, {"q": "nobody"}))
    page = reverse("admin:sales_codealias_change", args=[alias.pk])
    forget, restore = (
        reverse(f"admin:sales_codealias_{verb}", args=[alias.pk]) for verb in ("forget", "restore")
    )
    assert (forget in page_text(desk.get(page)), restore in page_text(desk.get(page))) == (True, False)
    assert "erp 的 OLD7 不再当作 李娜（T001）" in page_text(desk.get(forget))
    desk.post(forget, {"_confirmed": "1"})
    assert "请刷新后再看" in page_text(desk.post(forget, {"_confirmed": "1"}))
    assert (forget in page_text(desk.get(page)), restore in page_text(desk.get(page))) == (False, True)
    assert "OLD7" not in page_text(desk.get(listed, {"state": "live"})).split("result_list")[-1]
    desk.post(restore, {"_confirmed": "1"})
    alias.refresh_from_db()
    assert alias.forgotten_at is None


def test_a_region_sees_none_and_changes_none(cast: Cast) -> None:
    fill_sales(cast)
    alias = CodeAlias.objects.get()
    client = staff_with(cast, "view_codealias", "change_codealias")
    assert "OLD7" not in page_text(client.get(reverse("admin:sales_codealias_changelist")))
    client.post(reverse("admin:sales_codealias_forget", args=[alias.pk]), {"_confirmed": "1"})
    alias.refresh_from_db()
    assert alias.forgotten_at is None


def test_the_same_parts_again_cannot_be_decided(desk: Client, cast: Cast) -> None:
    tell(order("O1"))
    sale = Sale.objects.get()
    address = reverse("admin:sales_sale_reattribute", args=[sale.pk])
    form = desk.get(address).context["form"]
    same = {f"{name}_0": form.initial[f"{name}_0"] for name in ("role", "guide", "store", "percent")} | {
        "seen": form.initial["seen"],
        "request_key": "k1",
    }
    looked = page_text(desk.post(address, same))
    assert "没有变化，不用重新归属" in looked
    assert 'name="_confirmed"' not in looked
    moved = page_text(desk.post(address, {**same, "guide_0": str(cast.wangfang.id)}))
    assert 'name="_confirmed"' in moved
    assert Attribution.objects.count() == 1


def test_a_members_key_is_found_by_itself_and_taken_back(desk: Client, cast: Cast) -> None:
    key = MemberKey("pos_card", "CARD-77")
    tell(order("M1", member=key))
    held = HeldDocument.objects.get()
    services.name_member(public_id=held.public_id, member_id=cast.xiaoli.id, actor=TILL)
    alias = MemberAlias.objects.get()
    listed = reverse("admin:sales_memberalias_changelist")
    shown = page_text(desk.get(listed, {"q": "CARD-77"})).split("result_list")[-1]
    assert f"#{alias.pk}" in shown
    by_name = page_text(desk.get(listed, {"q": "小丽"})).split("result_list")[-1]
    assert f"#{alias.pk}" in by_name
    assert "CARD-77" not in by_name  # the key is not kept
    assert f"#{alias.pk}" not in page_text(desk.get(listed, {"q": "CARD-78"})).split("result_list")[-1]
    assert f"#{alias.pk}" not in page_text(desk.get(listed, {"whom": "nobody"})).split("result_list")[-1]
    assert "已经入账的单据不变" in page_text(
        desk.get(reverse("admin:sales_memberalias_forget", args=[alias.pk]))
    )
    assert "为保护隐私不保存原文" in page_text(
        desk.get(reverse("admin:sales_memberalias_change", args=[alias.pk]))
    )
    desk.post(reverse("admin:sales_memberalias_forget", args=[alias.pk]), {"_confirmed": "1"})
    assert not MemberAlias.objects.exists()
    assert Sale.objects.get().member_id == cast.xiaoli.id
    tell(order("M2", member=key))
    assert HeldDocument.objects.filter(state="waiting").count() == 1
    with pytest.raises(NoSuchAlias):
        services.forget_member_alias(alias_id=alias.pk, actor=TILL)


def test_a_key_that_means_nobody_is_listed_and_a_region_sees_none(desk: Client, cast: Cast) -> None:
    tell(order("M1", member=MemberKey("pos_card", "CARD-77")))
    services.name_member(public_id=HeldDocument.objects.get().public_id, member_id=None, actor=TILL)
    alias = MemberAlias.objects.get()
    assert (
        "不记会员"
        in page_text(desk.get(reverse("admin:sales_memberalias_changelist"))).split("result_list")[-1]
    )
    client = staff_with(cast, "view_memberalias", "change_memberalias")
    client.post(reverse("admin:sales_memberalias_forget", args=[alias.pk]), {"_confirmed": "1"})
    assert MemberAlias.objects.count() == 1
