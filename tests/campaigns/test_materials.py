"""素材: written, checked, published and withdrawn; found by the guides they are for; each with one link of her own."""

import datetime as dt
import io
import struct
import zlib
from typing import Any

import pytest
from django.core.files.storage import default_storage
from PIL import Image
from pytest_django import Settings

from campaigns.errors import (
    MaterialEmpty,
    MaterialForHeadOffice,
    MaterialNotInState,
    MaterialPictureUnfit,
    MaterialUnfit,
    NoSuchMaterial,
)
from campaigns.models import Material, MaterialShare
from campaigns.selectors.materials import (
    get_shared_material,
    list_guide_materials,
    list_material_categories,
    scope_materials,
)
from campaigns.services import materials
from campaigns.services.material_openings import note_opening
from campaigns.services.material_pictures import store_picture
from campaigns.services.material_shares import note_share, open_share
from core import clock
from core.errors import Refusal
from core.models import AuditEntry
from guides.contracts import GuideCard
from tests.campaigns.material_kit import DAY, DESK, draft, make_material, opened, picture, share_of, wechat
from tests.cast import Cast
from tests.coupons.kit import make_batch
from tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _pictures_here(settings: Settings, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def titles(guide: GuideCard, **asked: Any) -> list[str]:
    found = list_guide_materials(guide_id=guide.id, store_id=guide.store.id, **asked)
    return [line.title for line in found.lines]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("title", {"title": " "}),
        ("title", {"title": "长" * 31}),
        ("category", {"category": ""}),
        ("words", {"words": "亲爱的{会员}，看看新款"}),
        ("words", {"words": "话" * 501}),
        ("text", {"text": "文" * 2_001}),
        ("link_url", {"link_url": "http://shop.example/a"}),
        ("link_url", {"link_url": "javascript:alert(1)"}),
        ("link_url", {"link_url": "https://user:word@shop.example/"}),
        ("link_url", {"link_url": "https://[bad"}),
        ("mini_page", {"mini_page": "/pages/a"}),
        ("mini_page", {"mini_page": "pages/a b"}),
        ("store", {"region_id": 1, "store_id": 1}),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(MaterialUnfit) as caught:
        materials.save_material(draft=draft(**values), actor=DESK)
    assert caught.value.details["field"] == field
    assert not Material.objects.exists()


def test_times_have_an_order_and_only_what_is_claimed_goes_along(cast: Cast) -> None:
    now = clock.now()
    with pytest.raises(MaterialUnfit):
        materials.save_material(draft=draft(starts_at=now, ends_at=now), actor=DESK)
    with pytest.raises(MaterialUnfit) as caught:
        materials.save_material(draft=draft(batch_id=make_batch(doors=("system",))), actor=DESK)
    assert caught.value.details["field"] == "batch"
    assert make_material(batch_id=make_batch())


def test_a_region_writes_for_itself_and_sees_its_own(cast: Cast) -> None:
    staff = cast.regional
    for place in ({}, {"region_id": cast.south.id}, {"store_id": cast.other_store.id}):
        with pytest.raises(MaterialForHeadOffice):
            materials.save_material(draft=draft(**place), staff=staff, actor=DESK)
    mine = materials.save_material(draft=draft(store_id=cast.store.id), staff=staff, actor=DESK)
    make_material()
    assert list(scope_materials(staff, Material.objects.all())) == [Material.objects.get(pk=mine)]
    assert scope_materials(cast.head_office, Material.objects.all()).count() == 2


def test_it_is_published_once_withdrawn_and_published_again(cast: Cast) -> None:
    pk = make_material(is_published=False)
    assert titles(cast.lina) == []
    with pytest.raises(MaterialNotInState):
        materials.withdraw_material(material_id=pk, actor=DESK)
    materials.publish_material(material_id=pk, actor=DESK)
    assert titles(cast.lina) == ["初秋通勤三件套"]
    with pytest.raises(MaterialNotInState):
        materials.publish_material(material_id=pk, actor=DESK)
    materials.withdraw_material(material_id=pk, actor=DESK)
    assert titles(cast.lina) == []
    materials.publish_material(material_id=pk, actor=DESK)
    assert titles(cast.lina) == ["初秋通勤三件套"]
    told = AuditEntry.objects.filter(subject_id=pk, action__startswith="campaigns.material").order_by("pk")
    assert [action.split("_")[1] for action in told.values_list("action", flat=True)] == [
        "added", "published", "withdrawn", "published",
    ]  # fmt: skip


def test_one_that_shows_nothing_or_is_over_is_not_published(cast: Cast) -> None:
    empty = make_material(is_published=False, text="")
    with pytest.raises(MaterialEmpty):
        materials.publish_material(material_id=empty, actor=DESK)
    over = make_material(is_published=False, ends_at=clock.now() - DAY)
    with pytest.raises(MaterialUnfit):
        materials.publish_material(material_id=over, actor=DESK)
    live = make_material()
    with pytest.raises(MaterialEmpty):
        materials.save_material(material_id=live, draft=draft(text=""), actor=DESK)
    with pytest.raises(NoSuchMaterial):
        materials.publish_material(material_id=live + 1_000, actor=DESK)


def test_what_is_the_same_changes_nothing(cast: Cast) -> None:
    pk = make_material()
    before = Material.objects.values().get(pk=pk)
    materials.save_material(material_id=pk, draft=draft(), actor=DESK)
    assert Material.objects.values().get(pk=pk) == before
    assert not AuditEntry.objects.filter(action="campaigns.material_changed").exists()


def test_pictures_are_drawn_anew_upright_without_what_the_camera_wrote() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010F] = "PLANTED-CAMERA"
    kept = store_picture(stream=picture(2_600, 1_300, exif=exif))
    assert (kept.width, kept.height) == (1_280, 2_560)
    with default_storage.open(kept.name) as file:
        data = file.read()
    assert b"PLANTED-CAMERA" not in data
    with Image.open(io.BytesIO(data)) as again:
        assert (again.format, again.size, dict(again.getexif())) == ("JPEG", (1_280, 2_560), {})
    with default_storage.open(kept.thumb_name) as file, Image.open(file) as small:
        assert small.size == (400, 400)


def test_what_is_see_through_stands_on_white() -> None:
    kept = store_picture(stream=picture(50, 50, kind="PNG", mode="RGBA"))
    with default_storage.open(kept.name) as file, Image.open(file) as again:
        assert again.getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xff\xd8\xff\xe0 no picture",
        b"GIF89a" + b"\0" * 40,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
        b"x" * (10 * 1024 * 1024 + 1),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes, tmp_path: Any) -> None:
    with pytest.raises(MaterialPictureUnfit):
        store_picture(stream=io.BytesIO(data))
    assert list(tmp_path.rglob("*.jpg")) == []


def test_a_small_file_that_claims_a_billion_pixels_is_refused_unread() -> None:
    with pytest.raises(MaterialPictureUnfit):
        store_picture(stream=_claims(60_000, 60_000))


def _claims(width: int, height: int) -> io.BytesIO:
    """A PNG of a few bytes whose head says that it is so large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


@pytest.mark.django_db(transaction=True)
def test_files_of_pictures_that_were_taken_out_go_after_the_commit(cast: Cast) -> None:
    first, second = store_picture(stream=picture()), store_picture(stream=picture())
    pk = materials.save_material(draft=draft(), pictures=[first, second], actor=DESK)
    materials.save_material(material_id=pk, draft=draft(), pictures=[second], actor=DESK)
    assert not default_storage.exists(first.name)
    assert not default_storage.exists(first.thumb_name)
    assert default_storage.exists(second.name)
    with pytest.raises(MaterialUnfit):
        materials.save_material(material_id=pk, draft=draft(), pictures=[second] * 10, actor=DESK)
    materials.save_material(material_id=pk, draft=draft(title="别的"), actor=DESK)
    assert Material.objects.get(pk=pk).pictures.count() == 1


def test_guides_find_what_is_for_them_the_newest_first(cast: Cast) -> None:
    now = clock.now()
    make_material(title="总部", at=now - 3 * DAY)
    make_material(title="华东", region_id=cast.east.id, at=now - 2 * DAY)
    make_material(title="天河", store_id=cast.other_store.id, category="门店", at=now - DAY)
    make_material(title="以后", starts_at=now + DAY)
    make_material(title="过去", ends_at=now - DAY, at=now - 9 * DAY)
    make_material(title="全国", region_id=cast.root.id, words="羊绒 大衣", at=now)
    assert titles(cast.lina) == ["全国", "华东", "总部"]
    assert titles(cast.chenjing) == ["全国", "天河", "总部"]
    assert titles(cast.lina, query="大衣 羊绒") == ["全国"]
    assert titles(cast.lina, query="天河\0") == []
    assert titles(cast.chenjing, category="门店") == ["天河"]
    assert list_material_categories(cast.chenjing.store.id) == ("搭配", "门店")
    assert set(titles(cast.lina, at=now + 2 * DAY)) == {"全国", "华东", "总部", "以后"}


def test_a_long_list_goes_on_where_it_stopped(cast: Cast) -> None:
    for number in range(23):
        make_material(title=f"第{number}份", at=clock.now() - number * DAY)
    first = list_guide_materials(guide_id=cast.lina.id, store_id=cast.store.id)
    assert (len(first.lines), first.next_offset) == (20, 20)
    rest = list_guide_materials(guide_id=cast.lina.id, store_id=cast.store.id, offset=20)
    assert ([line.title for line in rest.lines], rest.next_offset) == (["第20份", "第21份", "第22份"], None)


def test_what_she_shared_stays_hers_also_when_it_is_over(cast: Cast) -> None:
    pk, other = make_material(title="先"), make_material(title="后")
    for one in (pk, other):
        note_share(public_id=share_of(one, cast.lina).material.public_id, guide=cast.lina)
    share_of(make_material(title="只看过"), cast.lina)
    materials.withdraw_material(material_id=pk, actor=DESK)
    assert titles(cast.lina, only_mine=True) == ["后", "先"]
    assert titles(cast.wangfang, only_mine=True) == []
    assert not share_of(pk, cast.lina).material.is_live
    with pytest.raises(NoSuchMaterial):
        share_of(pk, cast.wangfang)
    with pytest.raises(NoSuchMaterial):
        note_share(public_id=share_of(pk, cast.lina).material.public_id, guide=cast.lina)


def test_another_stores_material_is_unknown(cast: Cast) -> None:
    theirs = make_material(store_id=cast.other_store.id)
    for public_id in (Material.objects.get(pk=theirs).public_id, "", "x" * 400, "\0"):
        with pytest.raises(NoSuchMaterial):
            open_share(public_id=public_id, guide=cast.lina)
    assert not MaterialShare.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_she_has_one_link_however_often_her_phone_asks_at_once(cast: Cast) -> None:
    pk = make_material()
    links = at_once([lambda: share_of(pk, cast.lina).token] * 8)
    assert len(set(links)) == 1
    assert MaterialShare.objects.count() == 1
    assert share_of(pk, cast.wangfang).token not in links


def test_what_is_not_to_be_seen_answers_like_what_never_was(cast: Cast) -> None:
    """So that nobody can try out which tokens there are."""
    now = clock.now()
    withdrawn, over = make_material(), make_material(ends_at=now + dt.timedelta(hours=1))
    tokens = [share_of(pk, cast.lina).token for pk in (withdrawn, over)]
    assert get_shared_material(tokens[0]).guide_id == cast.lina.id
    materials.withdraw_material(material_id=withdrawn, actor=DESK)
    answers = []
    for token in [*tokens, "2" * 16, "", "\0", "x" * 999]:
        for ask in (get_shared_material, _open):
            with pytest.raises(Refusal) as caught:
                ask(token, at=now + 2 * DAY)
            answers.append((caught.value.code, caught.value.message, caught.value.details))
    assert set(map(str, answers)) == {str(("campaigns.no_such_material", NoSuchMaterial().message, {}))}


def _open(token: str, *, at: dt.datetime) -> bool:
    return note_opening(token=token, reader=wechat("o-some-body"), at=at)


def test_a_withdrawn_one_that_is_published_again_opens_again(cast: Cast) -> None:
    pk = make_material()
    share = share_of(pk, cast.lina)
    materials.withdraw_material(material_id=pk, actor=DESK)
    materials.publish_material(material_id=pk, actor=DESK)
    assert opened(share, wechat("o-some-body"))
