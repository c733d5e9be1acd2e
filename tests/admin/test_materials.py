"""素材 in the admin: written with pictures in order, published and withdrawn, each account its own part."""

import io
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from campaigns.models import Material, MaterialPicture
from core.models import StaffAccount
from tests.campaigns.material_kit import make_material, opened, picture, share_of, wechat
from tests.cast import Cast
from tests.coupons.kit import make_batch

pytestmark = pytest.mark.django_db
LIST = reverse("admin:campaigns_material_changelist")
ADD = reverse("admin:campaigns_material_add")


@pytest.fixture(autouse=True)
def _pictures_here(settings: Settings, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def page_of(pk: int, page: str = "change") -> str:
    return f"{LIST}{pk}/{page}/"


def form(**values: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "title": "初秋通勤三件套", "category": "搭配", "words": "姐，{门店}到了新款", "text": "三件就够一周", "kept": "",
        "link_url": "", "link_label": "", "mini_page": "", "batch": "", "region": "", "store": "",
        "starts_at_0": "", "starts_at_1": "", "ends_at_0": "", "ends_at_1": "",
    }  # fmt: skip
    return given | values


def upload(width: int = 600) -> SimpleUploadedFile:
    return SimpleUploadedFile("IMG_0001.jpg", picture(width, 400).getvalue(), content_type="image/jpeg")


def shown(client: Client, address: str, **values: Any) -> str:
    return client.get(address, follow=True, **values).content.decode()


def widths() -> list[int]:
    return list(MaterialPicture.objects.order_by("position").values_list("width", flat=True))


def test_it_is_written_with_pictures_put_in_order_and_taken_out(cast: Cast, desk: Client) -> None:
    desk.post(ADD, form(uploads=[upload(600), upload(700), upload(800)], batch=make_batch()))
    row = Material.objects.get()
    assert (row.state, widths()) == ("draft", [600, 700, 800])
    first, _second, third = MaterialPicture.objects.order_by("position")
    desk.post(page_of(row.pk), form(kept=f"{third.pk},{first.pk},999999,x", uploads=[upload(900)]))
    assert widths() == [800, 600, 900]
    names = {name for pair in MaterialPicture.objects.values_list("picture", "thumb") for name in pair}
    assert {first.picture.name, third.picture.name} < names
    assert all(default_storage.exists(name) for name in names)
    kept = ",".join(
        str(pk) for pk in MaterialPicture.objects.order_by("position").values_list("pk", flat=True)
    )
    desk.post(page_of(row.pk), form(kept=kept, title="换了标题"))
    assert (Material.objects.get().title, widths()) == ("换了标题", [800, 600, 900])


def test_pictures_of_another_material_cannot_be_taken_along(cast: Cast, desk: Client) -> None:
    desk.post(ADD, form(uploads=[upload()]))
    [theirs] = MaterialPicture.objects.all()
    mine = make_material(is_published=False)
    desk.post(page_of(mine), form(kept=str(theirs.pk)))
    assert list(MaterialPicture.objects.values_list("material_id", flat=True)) == [theirs.material_id]


def test_what_is_refused_stands_at_its_field_with_all_that_was_typed(
    cast: Cast, desk: Client, tmp_path: Any
) -> None:
    bad = SimpleUploadedFile("a.jpg", b"<script>", content_type="image/jpeg")
    refused = desk.post(ADD, form(uploads=[upload(), bad])).content.decode()
    assert "请换一张 10 MB 以内的 JPG 或 PNG" in refused
    assert "初秋通勤三件套" in refused
    assert list(tmp_path.rglob("*.jpg")) == []  # nor what was fine before the bad one
    many = desk.post(ADD, form(uploads=[upload() for _n in range(10)])).content.decode()
    assert "最多 9 张，现在有 10 张" in many
    for values in ({"words": "{会员}您好"}, {"link_url": "http://a.example"}, {"mini_page": "/pages/a"}):
        assert "这一项不能这样填" in desk.post(ADD, form(**values)).content.decode()
    assert not Material.objects.exists()


def test_it_is_published_and_withdrawn_with_numbers_before(cast: Cast, desk: Client) -> None:
    pk = make_material(is_published=False)
    assert re.search(rf"/{pk}/publish/", shown(desk, page_of(pk)))
    assert "分享数据" not in shown(desk, page_of(pk))
    desk.post(page_of(pk, "publish"), {"_confirmed": "1"})
    assert Material.objects.get().state == "published"
    opened(share_of(pk, cast.lina), wechat(cast.xiaomei_openid))
    page = shown(desk, page_of(pk))
    for words in ("分享数据", "李娜", "7 天内订单"):
        assert words in page
    assert "1 位导购分享过，被打开 1 次" in shown(desk, page_of(pk, "withdraw"))
    desk.post(page_of(pk, "withdraw"), {"_confirmed": "1"})
    assert Material.objects.get().state == "withdrawn"
    assert "已撤回" in shown(desk, LIST)
    empty = make_material(is_published=False, text="")
    assert (
        "至少要有一张图片或一段正文"
        in desk.post(page_of(empty, "publish"), {"_confirmed": "1"}).content.decode()
    )


def test_a_list_is_filtered_and_costs_the_same_for_many(
    cast: Cast, desk: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        make_material(
            title=f"第{number}份", category="新品" if number % 2 else "搭配", is_published=number > 3
        )
    with django_assert_max_num_queries(16):
        assert "第11份" in shown(desk, LIST)
    found = shown(desk, f"{LIST}?category=新品&state=draft")
    assert [f"第{number}份" in found for number in (1, 3, 5, 2)] == [True, True, False, False]
    assert "第7份" in shown(desk, f"{LIST}?q=第7份")


def test_a_region_writes_its_own_and_sees_no_other(cast: Cast, client: Client) -> None:
    staff = StaffAccount.objects.get(pk=cast.regional.pk)
    staff.user_permissions.set(
        Permission.objects.filter(content_type__app_label__in=["campaigns", "guides", "coupons"])
    )
    client.force_login(staff)
    chain = make_material(title="总部的")
    assert "总部的" not in shown(client, LIST)
    assert client.get(page_of(chain), follow=True).redirect_chain
    for place in ({}, {"region": cast.south.id}, {"store": cast.other_store.id}):
        client.post(ADD, form(**place))
    assert Material.objects.count() == 1
    client.post(ADD, form(store=cast.store.id))
    assert Material.objects.filter(store_id=cast.store.id).count() == 1
    assert client.post(page_of(chain, "withdraw"), {"_confirmed": "1"}).status_code == 302
    assert Material.objects.get(pk=chain).state == "published"


def test_a_picture_says_its_name_to_nobody(cast: Cast, desk: Client) -> None:
    """Names of uploads stay at the desk: they may be anything."""
    desk.post(ADD, form(uploads=[upload()]))
    [kept] = MaterialPicture.objects.all()
    name = str(kept.picture.name)
    assert "IMG_0001" not in name
    with default_storage.open(name) as file:
        assert io.BytesIO(file.read()).read(2) == b"\xff\xd8"
