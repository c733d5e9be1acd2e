"""Regions, dealers, stores; who works where; what staff may see."""

from typing import Any

import pytest
from django.apps import apps

from core.actor import Actor
from core.errors import InvalidInput, Refusal
from core.models import AuditEntry, StaffAccount
from guides import selectors, services
from guides.models import (
    Binding,
    ChannelCode,
    ChannelScan,
    Guide,
    Region,
    StaffScope,
    Store,
)
from tests.cast import Cast, make_guide, make_store
from tests.threads import at_once

STAFF = Actor.staff(1, "总部")

pytestmark = pytest.mark.django_db


def _paths() -> dict[str, str]:
    return dict(Region.objects.values_list("name", "path"))


def _refused(code: str, call: Any, /, **arguments: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        call(**arguments)
    assert refusal.value.code == code


def test_a_moved_region_takes_its_whole_subtree_along(cast: Cast) -> None:
    city = services.open_region(name="上海", parent_id=cast.east.id, actor=STAFF)
    district = services.open_region(name="黄浦", parent_id=city.id, actor=STAFF)
    moved = services.move_region(region_id=city.id, parent_id=cast.south.id, actor=STAFF)
    assert (moved.parent_id, moved.depth) == (cast.south.id, 3)
    assert _paths()["黄浦"] == f"/{cast.root.id}/{cast.south.id}/{city.id}/{district.id}/"
    top = services.move_region(region_id=city.id, parent_id=None, actor=STAFF)
    assert top.depth == 1
    assert _paths()["黄浦"] == f"/{city.id}/{district.id}/"
    assert _paths()["华东大区"] == f"/{cast.root.id}/{cast.east.id}/"
    assert AuditEntry.objects.filter(action="guides.region_moved").count() == 2


def test_a_region_cannot_hang_below_itself_and_names_are_unique_below_a_parent(cast: Cast) -> None:
    city = services.open_region(name="上海", parent_id=cast.east.id, actor=STAFF)
    before = _paths()
    for parent in (cast.east.id, city.id):
        _refused(
            "guides.region_inside_itself",
            services.move_region,
            region_id=cast.east.id,
            parent_id=parent,
            actor=STAFF,
        )
    _refused(
        "guides.region_name_taken", services.open_region, name="华东大区", parent_id=cast.root.id, actor=STAFF
    )
    _refused(
        "guides.region_name_taken",
        services.rename_region,
        region_id=cast.east.id,
        name="华南大区",
        actor=STAFF,
    )
    services.open_region(name="上海", parent_id=cast.south.id, actor=STAFF)
    _refused(
        "guides.region_name_taken",
        services.move_region,
        region_id=city.id,
        parent_id=cast.south.id,
        actor=STAFF,
    )
    assert _paths()["上海"] in (before["上海"], _paths()["上海"])
    assert Region.objects.get(pk=city.id).path == before["上海"]


def test_the_tree_ends_at_ten_levels(cast: Cast) -> None:
    parent = cast.root.id
    for depth in range(2, 11):
        parent = services.open_region(name=f"第{depth}层", parent_id=parent, actor=STAFF).id
    _refused("guides.region_unusable", services.open_region, name="第11层", parent_id=parent, actor=STAFF)
    other = services.open_region(name="另一棵", actor=STAFF)
    _refused(
        "guides.region_unusable",
        services.move_region,
        region_id=cast.root.id,
        parent_id=other.id,
        actor=STAFF,
    )


@pytest.mark.django_db(transaction=True)
def test_two_moves_that_would_make_a_ring_together_do_not(cast: Cast) -> None:
    at_once(
        [
            lambda: services.move_region(region_id=cast.east.id, parent_id=cast.south.id, actor=STAFF),
            lambda: services.move_region(region_id=cast.south.id, parent_id=cast.east.id, actor=STAFF),
        ]
    )
    for region in Region.objects.all():
        ids = [int(part) for part in region.path.split("/") if part]
        assert ids[0] == cast.root.id
        assert len(ids) == len(set(ids))
        assert ids[-1] == region.pk


def test_a_store_needs_a_whole_position_and_seven_spans(cast: Cast) -> None:
    good = {
        "code": "T09",
        "name": "新店",
        "region_id": cast.east.id,
        "latitude": 31.2,
        "longitude": 121.4,
        "opening_hours": ["10:00-22:00"] * 6 + [""],
        "actor": STAFF,
    }
    bad: list[dict[str, object]] = [
        {"code": ""},
        {"name": "  "},
        {"latitude": 91.0},
        {"longitude": None},
        {"opening_hours": ["10:00-22:00"]},
        {"opening_hours": ["25:00-26:00"] * 7},
    ]
    for wrong in bad:
        _refused("guides.store_unusable", services.open_store, **(good | wrong))
    _refused("guides.store_code_taken", services.open_store, **(good | {"code": "T01"}))
    card = services.open_store(**good)  # type: ignore[arg-type]
    assert card.opening_hours[-1] == ""


def test_a_store_with_guides_does_not_close_and_a_closed_one_takes_none(cast: Cast) -> None:
    _refused("guides.store_has_guides", services.close_store, store_id=cast.other_store.id, actor=STAFF)
    services.leave_guide(guide_id=cast.chenjing.id, actor=STAFF)
    services.close_store(store_id=cast.other_store.id, actor=STAFF)
    _refused(
        "guides.store_closed",
        services.hire_guide,
        number="T9",
        name="新人",
        store_id=cast.other_store.id,
        actor=STAFF,
    )
    _refused(
        "guides.store_closed",
        services.move_guide,
        guide_id=cast.lina.id,
        store_id=cast.other_store.id,
        role="guide",
        actor=STAFF,
    )
    services.reopen_store(store_id=cast.other_store.id, actor=STAFF)
    assert make_guide("T9", "新人", cast.other_store.id).is_active


def test_the_nearest_stores_come_first_with_their_distance(cast: Cast) -> None:
    make_store("T03", "无位置店", cast.east.id)
    people_square = (31.2304, 121.4737)
    near, far = selectors.nearest_stores(*people_square)
    assert (near.name, far.name) == ("南京东路店", "天河路店")
    assert near.distance_m == pytest.approx(1025, rel=0.03)
    assert far.distance_m == pytest.approx(1_212_000, rel=0.01)
    assert (
        selectors.nearest_stores(-people_square[0], people_square[1] - 180, limit=1)[0].distance_m is not None
    )
    with pytest.raises(InvalidInput):
        selectors.nearest_stores(91, 0)


def test_staff_see_their_part_of_the_chain_and_no_more(cast: Cast) -> None:
    dealer = services.open_dealer(code="D1", name="经销商甲", actor=STAFF)
    make_store("T03", "经销店", cast.south.id, dealer_id=dealer.id)
    code = selectors.get_guide_code(cast.chenjing.id)
    for member, scene in ((cast.xiaoli, code.code), (cast.xiaomei, "UNKNOWN")):
        services.resolve_scan(
            member_id=member.id, scene=scene, is_new_follower=False, request_key=f"k{member.id}", actor=STAFF
        )
    members = apps.get_model("members", "Member").objects.all()

    def seen(staff: StaffAccount) -> dict[str, object]:
        return {
            "stores": set(selectors.scope_stores(staff, Store.objects.all()).values_list("code", flat=True)),
            "guides": set(selectors.scope_guides(staff, Guide.objects.all()).values_list("name", flat=True)),
            "members": set(selectors.scope_members(staff, members).values_list("name", flat=True)),
            "bindings": selectors.scope_bindings(staff, Binding.objects.all()).count(),
            "codes": selectors.scope_channel_codes(staff, ChannelCode.objects.all()).count(),
            "scans": selectors.scope_channel_scans(staff, ChannelScan.objects.all()).count(),
        }

    everything = seen(cast.head_office)
    assert everything["members"] == {"小美", "小丽"}
    assert (everything["bindings"], everything["codes"], everything["scans"]) == (2, 4, 2)
    assert seen(cast.regional) == {
        "stores": {"T01"},
        "guides": {"李娜", "王芳", "赵强"},
        "members": {"小美"},
        "bindings": 1,
        "codes": 3,
        "scans": 0,
    }
    StaffScope.objects.filter(staff=cast.regional).delete()
    assert not any(seen(cast.regional).values())
    StaffScope.objects.create(staff=cast.regional, dealer_id=dealer.id)
    assert seen(cast.regional)["stores"] == {"T03"}
    StaffScope.objects.create(staff=cast.regional, store_id=cast.other_store.id)
    assert seen(cast.regional)["stores"] == {"T02", "T03"}
    assert seen(cast.regional)["members"] == {"小丽"}
    cast.regional.is_active = False
    assert not any(seen(cast.regional).values())


def test_a_region_moved_under_a_scope_is_seen_through_it(cast: Cast) -> None:
    services.move_region(region_id=cast.south.id, parent_id=cast.east.id, actor=STAFF)
    stores = selectors.scope_stores(cast.regional, Store.objects.all())
    assert set(stores.values_list("code", flat=True)) == {"T01", "T02"}
