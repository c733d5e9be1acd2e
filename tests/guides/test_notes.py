"""Notes, tags and names that a guide keeps for herself: hers alone, wherever the member goes."""

from typing import Any

import pytest

from core.actor import Actor
from core.models import AuditEntry
from guides import selectors, services
from guides.models import GuideMemberTag, GuideNote, GuideRemark, GuideTag
from guides.selectors.notes import remarks_of
from members import services as member_services
from members.contracts import MemberCard
from tests.cast import APP_ID, DIRECTOR, Cast, openid_of
from tests.refusals import refused
from tests.threads import at_once

pytestmark = pytest.mark.django_db
UNKNOWN = "2222222222222222"


def on(guide: Any, member: Any, **fields: Any) -> dict[str, Any]:
    """Which guide does it about which member."""
    public_id = member if isinstance(member, str) else member.public_id
    return {"guide_id": guide.id, "public_id": public_id, "actor": DIRECTOR, **fields}


def notes_of(guide: Any, member: Any) -> list[str]:
    return [note.text for note in selectors.list_notes(guide_id=guide.id, member_id=member.id)]


def tags_of(guide: Any, member: Any) -> list[str]:
    return [tag.name for tag in selectors.list_own_member_tags(guide_id=guide.id, member_id=member.id)]


def make_nameless(cast: Cast, key: str = "wuming") -> MemberCard:
    """A follower without a name, bound to 李娜."""
    member = member_services.register_follower(app_id=APP_ID, openid=openid_of(key), actor=Actor.wechat())
    services.bind_member(member_id=member.id, guide_id=cast.lina.id, source="scan", actor=Actor.wechat())
    return member


def test_a_note_is_written_changed_deleted_and_restored(cast: Cast) -> None:
    note = services.add_note(**on(cast.lina, cast.xiaomei, text="  喜欢素色\r\n周末来 "))
    assert notes_of(cast.lina, cast.xiaomei) == ["喜欢素色\n周末来"]
    services.edit_note(**on(cast.lina, cast.xiaomei, note_id=note.id, text="喜欢亮色"))
    assert notes_of(cast.lina, cast.xiaomei) == ["喜欢亮色"]
    for _twice in range(2):
        services.remove_note(**on(cast.lina, cast.xiaomei, note_id=note.id))
    assert notes_of(cast.lina, cast.xiaomei) == []
    edit = on(cast.lina, cast.xiaomei, note_id=note.id, text="晚了")
    assert refused(services.edit_note, **edit) == "core.not_found"
    services.restore_note(**on(cast.lina, cast.xiaomei, note_id=note.id))
    assert notes_of(cast.lina, cast.xiaomei) == ["喜欢亮色"]


def test_no_audit_entry_repeats_what_was_written(cast: Cast) -> None:
    nameless = make_nameless(cast)
    services.add_note(**on(cast.lina, nameless, text="喜欢素色"))
    services.tag_privately(**on(cast.lina, nameless, name="话很少"))
    services.remark_member(**on(cast.lina, nameless, name="绿风衣"))
    told = str(list(AuditEntry.objects.values_list("details", "actor_label")))
    assert not any(word in told for word in ("素色", "话很少", "绿风衣"))
    assert AuditEntry.objects.filter(action="guides.note_added").count() == 1


@pytest.mark.parametrize("text", ["", " \n ", "\0", "长" * 501])
def test_an_empty_or_endless_note_is_refused(cast: Cast, text: str) -> None:
    assert refused(services.add_note, **on(cast.lina, cast.xiaomei, text=text)) == "guides.note_unusable"


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_many_times_at_once_is_one_note(cast: Cast) -> None:
    wanted = on(cast.lina, cast.xiaomei, text="喜欢素色", request_key="k1")
    answers = at_once([lambda: services.add_note(**wanted)] * 6)
    assert len({answer.id for answer in answers}) == 1
    assert GuideNote.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_own_tag_given_many_times_at_once_is_one(cast: Cast) -> None:
    answers = at_once([lambda: services.tag_privately(**on(cast.lina, cast.xiaomei, name="话很少"))] * 6)
    assert {answer.name for answer in answers} == {"话很少"}
    assert (GuideTag.objects.count(), GuideMemberTag.objects.count()) == (1, 1)


def test_nobody_else_sees_them_and_the_manager_neither(cast: Cast) -> None:
    services.add_note(**on(cast.lina, cast.xiaomei, text="喜欢素色"))
    services.tag_privately(**on(cast.lina, cast.xiaomei, name="话很少"))
    for other in (cast.zhaoqiang, cast.wangfang, cast.chenjing):
        assert notes_of(other, cast.xiaomei) == []
        assert tags_of(other, cast.xiaomei) == []
        assert selectors.list_own_tags(other.id) == ()


def test_a_manager_keeps_notes_of_her_own(cast: Cast) -> None:
    services.add_note(**on(cast.zhaoqiang, cast.xiaomei, text="店长看过"))
    assert (notes_of(cast.zhaoqiang, cast.xiaomei), notes_of(cast.lina, cast.xiaomei)) == (["店长看过"], [])


def test_when_she_goes_to_another_guide_they_stay_with_the_writer(cast: Cast) -> None:
    note = services.add_note(**on(cast.lina, cast.xiaomei, text="喜欢素色"))
    move: dict[str, Any] = {
        "source": "staff",
        "reason": "换店",
        "actor": DIRECTOR,
        "member_id": cast.xiaomei.id,
    }
    services.rebind_member(guide_id=cast.wangfang.id, **move)

    assert notes_of(cast.wangfang, cast.xiaomei) == []
    gone = on(cast.lina, cast.xiaomei, note_id=note.id)
    assert refused(services.remove_note, **gone) == "core.not_found"
    hers = on(cast.wangfang, cast.xiaomei, note_id=note.id)
    assert refused(services.remove_note, **hers) == "core.not_found"
    services.rebind_member(guide_id=cast.lina.id, **move)
    assert notes_of(cast.lina, cast.xiaomei) == ["喜欢素色"]


def test_another_guides_member_is_refused_as_an_unknown_one(cast: Cast) -> None:
    note = services.add_note(**on(cast.lina, cast.xiaomei, text="喜欢素色"))
    tag = services.tag_privately(**on(cast.lina, cast.xiaomei, name="话很少"))
    calls: list[tuple[Any, dict[str, Any]]] = [
        (services.add_note, {"text": "x"}),
        (services.edit_note, {"note_id": note.id, "text": "x"}),
        (services.remove_note, {"note_id": note.id}),
        (services.restore_note, {"note_id": note.id}),
        (services.tag_privately, {"name": "x"}),
        (services.untag_privately, {"tag_id": tag.id}),
        (services.remark_member, {"name": "x"}),
    ]
    for call, fields in calls:
        for member in (cast.xiaomei, UNKNOWN):
            assert refused(call, **on(cast.wangfang, member, **fields)) == "core.not_found"


def test_an_own_tag_of_another_guide_cannot_be_taken_off(cast: Cast) -> None:
    tag = services.tag_privately(**on(cast.lina, cast.xiaomei, name="话很少"))
    manager = on(cast.zhaoqiang, cast.xiaomei, tag_id=tag.id)
    assert refused(services.untag_privately, **manager) == "core.not_found"
    services.untag_privately(**on(cast.lina, cast.xiaomei, tag_id=tag.id))
    assert tags_of(cast.lina, cast.xiaomei) == []
    assert [own.name for own in selectors.list_own_tags(cast.lina.id)] == ["话很少"]


def test_a_nameless_member_is_called_and_found_by_her_guide_alone(cast: Cast) -> None:
    nameless = make_nameless(cast)
    card = services.remark_member(**on(cast.lina, nameless, name=" 绿风衣  姑娘 "))

    assert (card.display_name, card.is_remarked) == ("绿风衣 姑娘", True)
    for query in ("绿风衣", "lfy", "lvfengyi"):
        found = selectors.list_bound_members(guide_id=cast.lina.id, query=query)
        assert [line.member.display_name for line in found.lines] == ["绿风衣 姑娘"], query
    newest = selectors.list_newest_members(cast.lina.id)
    assert newest[0].member.display_name == "绿风衣 姑娘"
    seen = selectors.access_member(guide_id=cast.zhaoqiang.id, public_id=nameless.public_id)
    assert (seen.display_name, seen.is_remarked) == (nameless.display_name, False)
    services.remark_member(**on(cast.lina, nameless, name=""))
    again = selectors.access_member(guide_id=cast.lina.id, public_id=nameless.public_id)
    assert again.display_name == nameless.display_name


def test_her_own_name_goes_before_and_cannot_be_called_over(cast: Cast) -> None:
    nameless = make_nameless(cast)
    services.remark_member(**on(cast.lina, nameless, name="绿风衣"))
    member_services.rename_member(member_id=nameless.id, name="周敏", actor=DIRECTOR)
    card = selectors.access_member(guide_id=cast.lina.id, public_id=nameless.public_id)
    assert (card.display_name, card.is_remarked) == ("周敏", False)
    assert refused(services.remark_member, **on(cast.lina, nameless, name="x")) == "guides.member_is_named"
    too_long = on(cast.lina, make_nameless(cast, "other"), name="长" * 21)
    assert refused(services.remark_member, **too_long) == "guides.remark_unusable"


def test_a_merge_brings_them_to_the_row_she_lives_on_in(cast: Cast) -> None:
    nameless = make_nameless(cast)
    services.add_note(**on(cast.lina, nameless, text="喜欢素色"))
    for member in (nameless, cast.xiaomei):
        services.tag_privately(**on(cast.lina, member, name="话很少"))
    services.remark_member(**on(cast.lina, nameless, name="绿风衣"))
    member_services.merge_members(first_id=cast.xiaomei.id, second_id=nameless.id, actor=DIRECTOR)

    assert notes_of(cast.lina, cast.xiaomei) == ["喜欢素色"]
    assert tags_of(cast.lina, cast.xiaomei) == ["话很少"]
    assert remarks_of(cast.lina.id, [cast.xiaomei.id]) == {cast.xiaomei.id: "绿风衣"}
    assert GuideRemark.objects.count() == GuideMemberTag.objects.count() == 1
