"""What guides keep about a member, when two rows are one person, when they are two again, and when she goes."""

import datetime as dt
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from guides import selectors, services
from guides.models import Binding, ChannelScan, GuideMemberTag, GuideNote, GuideNotice, GuideRemark
from guides.selectors import get_guide_code
from guides.selectors.notes import remarked_member_ids
from guides.services.holdings import BindingHoldings, NoteHoldings, ScanHoldings
from members import services as member_services
from members.models import MemberMerge
from tests.cast import APP_ID, DIRECTOR, Cast, openid_of

pytestmark = pytest.mark.django_db


def _nameless(key: str = "nameless") -> Any:
    return member_services.register_follower(app_id=APP_ID, openid=openid_of(key), actor=Actor.wechat())


def _bind(member_id: int, guide_id: int, days: int) -> None:
    at = clock.now() - dt.timedelta(days=days)
    services.bind_member(member_id=member_id, guide_id=guide_id, source="scan", actor=DIRECTOR, at=at)


def _merge(survivor_id: int, emptier_id: int) -> MemberMerge:
    member_services.merge_members(
        first_id=survivor_id, second_id=emptier_id, survivor_id=survivor_id, actor=DIRECTOR
    )
    return MemberMerge.objects.live().get(emptier_id=emptier_id)


def _undo(record: MemberMerge) -> None:
    member_services.undo_merge(merge_id=record.pk, actor=DIRECTOR)


def _guide_of(member_id: int) -> str:
    live = selectors.find_live_binding(member_id)
    return "" if live is None else live.guide_name


@pytest.mark.parametrize(
    ("hers", "theirs", "kept"),
    [
        (("李娜", 9), ("王芳", 2), "李娜"),
        (("李娜", 2), ("王芳", 9), "王芳"),
        (None, ("王芳", 9), "王芳"),
        (("李娜", 9), None, "李娜"),
        (("李娜", 2), ("李娜", 9), "李娜"),
    ],
)
def test_the_older_binding_survives_and_each_has_her_guide_again_after_undoing(
    cast: Cast, hers: tuple[str, int] | None, theirs: tuple[str, int] | None, kept: str
) -> None:
    guides = {"李娜": cast.lina.id, "王芳": cast.wangfang.id}
    one, other = _nameless("one").id, _nameless("other").id
    for member_id, bond in ((one, hers), (other, theirs)):
        if bond is not None:
            _bind(member_id, guides[bond[0]], bond[1])
    (line,) = BindingHoldings().preview(survivor_id=one, emptier_id=other)
    assert line.outcome == kept
    record = _merge(one, other)
    assert (_guide_of(one), _guide_of(other)) == (kept, "")
    rows = Binding.objects.count()
    _undo(record)
    assert (_guide_of(one), _guide_of(other)) == (hers[0] if hers else "", theirs[0] if theirs else "")
    assert Binding.objects.count() >= rows  # history is added to, never taken from
    assert {line.guide_name for line in selectors.list_binding_history(one)} >= {hers[0]} if hers else True


def test_a_guide_chosen_since_the_merge_stays_with_the_survivor(cast: Cast) -> None:
    one, other = _nameless("one").id, _nameless("other").id
    _bind(one, cast.lina.id, 2)
    _bind(other, cast.wangfang.id, 9)
    record = _merge(one, other)
    services.rebind_member(
        member_id=other, guide_id=cast.zhaoqiang.id, source="member", reason="换人", actor=DIRECTOR
    )
    _undo(record)
    assert (_guide_of(one), _guide_of(other)) == ("赵强", "王芳")


def test_a_survivors_history_shows_the_guides_of_both_rows(cast: Cast) -> None:
    one, other = _nameless("one").id, _nameless("other").id
    _bind(one, cast.lina.id, 9)
    _bind(other, cast.wangfang.id, 2)
    _merge(one, other)
    assert [line.guide_name for line in selectors.list_binding_history(one)] == ["王芳", "李娜"]


def _write_down(cast: Cast, public_id: str, text: str, tag: str, name: str) -> None:
    about: dict[str, Any] = {"guide_id": cast.lina.id, "public_id": public_id, "actor": DIRECTOR}
    services.add_note(**about, text=text)
    services.tag_privately(**about, name=tag)
    services.remark_member(**about, name=name)


def _written(member_id: int) -> tuple[list[str], list[str], list[str]]:
    notes = GuideNote.objects.filter(member_id=member_id).order_by("pk")
    tags = GuideMemberTag.objects.filter(member_id=member_id).order_by("pk")
    names = GuideRemark.objects.filter(member_id=member_id)
    return [row.text for row in notes], [row.tag.name for row in tags], [row.name for row in names]


def test_what_a_guide_wrote_down_comes_along_and_goes_back(cast: Cast) -> None:
    one, other = _nameless("one"), _nameless("other")
    for member in (one, other):
        _bind(member.id, cast.lina.id, 3)
    _write_down(cast, one.public_id, "爱素色", "话少", "绿风衣")
    _write_down(cast, other.public_id, "怕热", "话少", "大姐")
    before = _written(one.id), _written(other.id)
    (line,) = NoteHoldings().preview(survivor_id=one.id, emptier_id=other.id)
    assert (line.survivor, line.emptier, line.outcome) == ("1", "1", "2")
    record = _merge(one.id, other.id)
    assert _written(one.id) == (["爱素色", "怕热"], ["话少"], ["绿风衣"])
    assert _written(other.id) == ([], [], [])
    _undo(record)
    assert (_written(one.id), _written(other.id)) == before
    assert list(remarked_member_ids(cast.lina.id, "大姐")) == [other.id]


def test_scans_and_notices_come_along_and_go_back(cast: Cast) -> None:
    one, other = _nameless("one"), _nameless("other")
    services.resolve_scan(
        member_id=other.id,
        scene=get_guide_code(cast.lina.id).code,
        is_new_follower=True,
        request_key="scan-1",
        actor=Actor.wechat(),
    )
    binding = Binding.objects.live().get(member_id=other.id)
    services.tell_of_new_member(binding_id=binding.pk)
    record = _merge(one.id, other.id)
    found = ChannelScan.objects.get().member_id, GuideNotice.objects.get().member_id
    assert found == (one.id, one.id)
    assert member_services.sweep_latecomers(actor=DIRECTOR) == 0
    _undo(record)
    assert (ChannelScan.objects.get().member_id, GuideNotice.objects.get().member_id) == (other.id, other.id)


def test_she_is_told_all_that_is_kept_and_nothing_of_it_stays_when_she_is_erased(cast: Cast) -> None:
    one, other = _nameless("one"), _nameless("other")
    for member in (one, other):
        _bind(member.id, cast.lina.id, 3)
    _write_down(cast, one.public_id, "爱素色", "话少", "绿风衣")
    services.resolve_scan(
        member_id=one.id,
        scene=get_guide_code(cast.lina.id).code,
        is_new_follower=False,
        request_key="scan-1",
        actor=Actor.wechat(),
    )
    _merge(one.id, other.id)
    told = str([dict(part().export(one.id)) for part in (BindingHoldings, NoteHoldings, ScanHoldings)])
    for word in ("爱素色", "话少", "绿风衣", "南京东路店", "李娜"):
        assert word in told
    for part in (BindingHoldings, NoteHoldings, ScanHoldings):
        for row in (one, other):  # an erasure goes row by row through all that were merged
            assert part().erase(member_id=row.id, actor=DIRECTOR, at=clock.now()) >= 0
    assert _written(one.id) == ([], [], [])
    assert not Binding.objects.live().filter(member_id__in=[one.id, other.id]).exists()
    assert set(
        Binding.objects.filter(member_id__in=[one.id, other.id]).values_list("reason", "end_reason")
    ) == {("", "")}
