"""标签、备注和称呼 on a member's page: what the dialogs offer and do, for whom, at what cost."""

import datetime as dt
import json
import re
from typing import Any

import pytest
from django.test import Client

from assistant.pages.member_360 import Member360
from core import clock
from core.actor import Actor
from guides import selectors as guide_selectors
from guides import services as guide_services
from guides.models import GuideNote
from members import selectors, services
from members.models import MemberTag
from tests.campaigns.test_segment_holdings import living
from tests.campaigns.test_segment_tags import follow, make_tag
from tests.cast import APP_ID, openid_of

pytestmark = [pytest.mark.django_db]

STAFF = Actor.staff(1, "总部")
HTMX = {"HX-Request": "true"}
UNKNOWN = "2222222222222222"


def make_tags() -> dict[str, Any]:
    """An exclusive group 肤质 (干性, 油性) and a free one 风格 (素色)."""
    skin = services.create_tag_group(name="肤质", is_exclusive=True, actor=STAFF)
    style = services.create_tag_group(name="风格", order=1, actor=STAFF)
    pairs = ((skin, "干性"), (skin, "油性"), (style, "素色"))
    return {name: services.create_tag(group_id=group.id, name=name, actor=STAFF) for group, name in pairs}


def url(member: Any, *parts: str) -> str:
    public_id = member if isinstance(member, str) else member.public_id
    return "/".join(("/a/members", public_id, *parts)) + "/"


def post(client: Client, member: Any, *parts: str, **fields: Any) -> Any:
    return client.post(url(member, *parts), fields, headers=HTMX)


def chips(answer: Any) -> dict[str, list[str]]:
    page = answer.context["page"]
    section = page.opened.part.tags if isinstance(page, Member360) else page.tags
    return {group.title: [chip.name for chip in group.chips] for group in section.groups}


def undo(client: Client, answer: Any) -> Any:
    back = answer.context["page"].undo
    path = {"assistant:member-tag-add": "tags/add", "assistant:member-tag-remove": "tags/remove",
            "assistant:member-note-restore": "notes/restore"}[back.url_name]  # fmt: skip
    return client.post(f"/a/members/{back.public_id}/{path}/", dict(back.fields), headers=HTMX)


def test_the_member_page_shows_chain_tags_and_her_own_within_the_query_budget(
    cast, log_in, django_assert_max_num_queries
):
    made = make_tags()
    ids = [cast.xiaomei.id]
    for tag in made.values():
        services.tag_members(member_ids=ids, tag_id=tag.id, actor=STAFF)
    hers: dict[str, Any] = {"guide_id": cast.lina.id, "public_id": cast.xiaomei.public_id, "actor": STAFF}
    for number in range(5):
        guide_services.tag_privately(name=f"我的{number}", **hers)
        guide_services.add_note(text=f"第{number}条", **hers)
    client = log_in(cast.lina)

    with django_assert_max_num_queries(12):
        answer = client.get(url(cast.xiaomei))

    assert list(chips(answer)) == ["肤质", "风格", "我的标签"]
    with django_assert_max_num_queries(12):
        answer = client.get(url(cast.xiaomei) + "?tab=notes")
    assert [note.text for note in answer.context["page"].opened.part.notes] == [
        f"第{n}条" for n in range(4, -1, -1)
    ]
    assert not re.search(r' style="| on[a-z]+="|<script>', answer.content.decode())


def test_the_dialog_costs_few_queries_and_marks_what_she_has(cast, log_in, django_assert_max_num_queries):
    made = make_tags()
    services.tag_members(member_ids=[cast.xiaomei.id], tag_id=made["素色"].id, actor=STAFF)
    client = log_in(cast.lina)

    with django_assert_max_num_queries(12):
        sheet = client.get(url(cast.xiaomei, "tags"), headers=HTMX).context["page"]

    assert [(group.title, group.hint) for group in sheet.groups] == [("肤质", "选一个"), ("风格", "")]
    assert {chip.name for group in sheet.groups for chip in group.chips if chip.is_on} == {"素色"}


def test_a_tap_tags_and_the_undo_takes_it_back(cast, log_in):
    made, client = make_tags(), log_in(cast.lina)

    answer = post(client, cast.xiaomei, "tags", "add", tag=made["素色"].id, in_sheet=1)
    assert chips(answer) == {"风格": ["素色"]}
    assert answer.context["page"].sheet is not None
    line = selectors.list_member_tags(cast.xiaomei.id)[0]
    assert line.tagged_by == "导购 李娜 T001"

    assert chips(undo(client, answer)) == {}
    assert MemberTag.objects.filter(removed_at=None).count() == 0


def test_undoing_a_removal_gives_the_tag_back_for_as_long_as_before(cast, log_in):
    made, client = make_tags(), log_in(cast.lina)
    end = clock.day_bounds(dt.date(2099, 12, 31))[1]
    services.tag_members(member_ids=[cast.xiaomei.id], tag_id=made["素色"].id, expires_at=end, actor=STAFF)

    undo(client, post(client, cast.xiaomei, "tags", "remove", tag=made["素色"].id))

    assert selectors.list_member_tags(cast.xiaomei.id)[0].expires_at == end


def test_a_tag_of_an_exclusive_group_changes_places_and_back(cast, log_in):
    made, client = make_tags(), log_in(cast.lina)
    post(client, cast.xiaomei, "tags", "add", tag=made["干性"].id)

    answer = post(client, cast.xiaomei, "tags", "add", tag=made["油性"].id)

    assert chips(answer) == {"肤质": ["油性"]}
    assert "干性" in answer.context["page"].text
    assert chips(undo(client, answer)) == {"肤质": ["干性"]}


def test_what_she_used_last_comes_first_and_search_finds_by_pinyin(cast, log_in):
    made, client = make_tags(), log_in(cast.lina)
    for name in ("干性", "素色"):
        post(client, cast.xiaomei, "tags", "add", tag=made[name].id)

    recent = client.get(url(cast.xiaomei, "tags"), headers=HTMX).context["page"].groups[0]
    assert (recent.title, [chip.name for chip in recent.chips]) == ("最近用过", ["素色", "干性"])
    for query in ("素", "ss", "suse"):
        found = client.get(url(cast.xiaomei, "tags", "found"), {"q": query}, headers=HTMX).context["page"]
        assert [chip.name for group in found.groups for chip in group.chips] == ["素色"], query


def test_a_word_that_is_not_there_becomes_a_tag_of_her_own(cast, log_in):
    client = log_in(cast.lina)
    sheet = client.get(url(cast.xiaomei, "tags", "found"), {"q": "爱聊'\"天"}, headers=HTMX).context["page"]
    assert json.loads(sheet.new_sent) == {"name": "爱聊'\"天"}

    answer = post(client, cast.xiaomei, "tags", "add", name=sheet.new_name)

    assert chips(answer) == {"我的标签": ["爱聊'\"天"]}
    assert chips(undo(client, answer)) == {}
    assert guide_selectors.list_own_tags(cast.wangfang.id) == ()


def test_a_retired_tag_can_be_taken_off_and_not_given(cast, log_in):
    made, client = make_tags(), log_in(cast.lina)
    post(client, cast.xiaomei, "tags", "add", tag=made["素色"].id)
    services.retire_tag(tag_id=made["素色"].id, actor=STAFF)

    sheet = client.get(url(cast.xiaomei, "tags"), headers=HTMX).context["page"]
    assert [chip.name for chip in sheet.groups[-1].chips] == ["素色"]
    post(client, cast.xiaomei, "tags", "remove", tag=made["素色"].id)
    answer = post(client, cast.xiaomei, "tags", "add", tag=made["素色"].id)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "members.tag_retired")


def test_a_note_is_written_changed_deleted_and_restored(cast, log_in):
    client = log_in(cast.lina)
    sheet = client.get(url(cast.xiaomei, "notes"), headers=HTMX).context["page"]
    for _twice in range(2):
        answer = post(
            client, cast.xiaomei, "notes", "save", text="喜欢<b>素色", request_key=sheet.request_key
        )
    assert GuideNote.objects.count() == 1
    assert "喜欢&lt;b&gt;素色" in answer.content.decode()
    note = answer.context["page"].notes.notes[0].key

    again = client.get(f"{url(cast.xiaomei, 'notes')}?note={note}", headers=HTMX).context["page"]
    assert (str(again.note_id), again.text) == (note, "喜欢<b>素色")
    answer = post(client, cast.xiaomei, "notes", "save", note=note, text="喜欢亮色")
    assert [line.text for line in answer.context["page"].notes.notes] == ["喜欢亮色"]
    answer = post(client, cast.xiaomei, "notes", "remove", note=note)
    assert answer.context["page"].notes.notes == ()
    assert [line.text for line in undo(client, answer).context["page"].notes.notes] == ["喜欢亮色"]


@pytest.mark.parametrize("text", ["", "  ", "长" * 501])
def test_an_unusable_note_is_a_toast_and_the_dialog_stays(cast, log_in, text):
    answer = post(log_in(cast.lina), cast.xiaomei, "notes", "save", text=text)
    assert (answer.status_code, answer["X-Refusal"], answer.content) == (400, "guides.note_unusable", b"")


def test_a_nameless_member_gets_a_name_that_only_her_guide_sees(cast, log_in):
    member = services.register_follower(app_id=APP_ID, openid=openid_of("wuming"), actor=Actor.wechat())
    guide_services.bind_member(member_id=member.id, guide_id=cast.lina.id, source="scan", actor=STAFF)
    client = log_in(cast.lina)
    assert client.get(url(member)).context["page"].head.can_remark
    assert not client.get(url(cast.xiaomei)).context["page"].head.can_remark

    answer = post(client, member, "remark", "save", name="绿风衣")

    assert answer["HX-Redirect"] == url(member)
    page = client.get(url(member)).context["page"].head
    assert (page.name, page.avatar.text, page.can_remark) == ("绿风衣", "绿", True)
    assert "绿风衣" in client.get("/a/members/", {"q": "lfy"}).content.decode()
    assert client.get(url(member, "remark"), headers=HTMX).context["page"].name == "绿风衣"
    assert log_in(cast.zhaoqiang).get(url(member)).context["page"].head.name != "绿风衣"


def test_the_manager_sees_the_chains_tags_and_nothing_of_the_guides_own(cast, log_in):
    made, client = make_tags(), log_in(cast.lina)
    post(client, cast.xiaomei, "tags", "add", tag=made["素色"].id)
    post(client, cast.xiaomei, "tags", "add", name="爱聊天")
    post(client, cast.xiaomei, "notes", "save", text="女儿六岁")

    manager = log_in(cast.zhaoqiang)
    text = (
        manager.get(url(cast.xiaomei)).content.decode()
        + manager.get(url(cast.xiaomei, "tags")).content.decode()
    )

    assert "素色" in text
    assert "爱聊天" not in text
    assert "女儿六岁" not in text


GETS: list[tuple[str, ...]] = [("tags",), ("tags", "found"), ("notes",), ("remark",)]
POSTS: list[tuple[str, ...]] = [
    ("tags", "add"), ("tags", "remove"), ("notes", "save"), ("notes", "remove"), ("notes", "restore"),
    ("remark", "save"),
]  # fmt: skip


@pytest.mark.parametrize("parts", GETS + POSTS, ids="/".join)
def test_another_guides_member_answers_exactly_like_an_unknown_id(cast, log_in, parts):
    made = make_tags()
    hers: dict[str, Any] = {"guide_id": cast.lina.id, "public_id": cast.xiaomei.public_id, "actor": STAFF}
    note = guide_services.add_note(text="喜欢素色", **hers)
    client = log_in(cast.wangfang)

    def answer(member: Any) -> Any:
        if parts in GETS:
            return client.get(url(member, *parts), headers=HTMX)
        return post(client, member, *parts, tag=made["素色"].id, note=note.id, text="x")

    stranger, unknown = answer(cast.xiaomei), answer(UNKNOWN)
    assert stranger.status_code == unknown.status_code == 404
    assert (stranger.content, dict(stranger.headers)) == (unknown.content, dict(unknown.headers))
    assert MemberTag.objects.count() == 0


@pytest.mark.parametrize("tag", ["", "0", "-1", "x", "９", "9" * 30])
def test_a_made_up_row_is_refused(cast, log_in, tag):
    client = log_in(cast.lina)
    for parts in (("tags", "add"), ("tags", "remove"), ("notes", "remove")):
        answer = post(client, cast.xiaomei, *parts, tag=tag, note=tag)
        assert (answer.status_code, answer["X-Refusal"]) == (400, "core.invalid_input")


def test_an_own_tag_or_note_of_another_guide_is_refused_as_unknown(cast, log_in):
    hers: dict[str, Any] = {"guide_id": cast.lina.id, "public_id": cast.xiaomei.public_id, "actor": STAFF}
    tag = guide_services.tag_privately(name="爱聊天", **hers)
    note = guide_services.add_note(text="喜欢素色", **hers)
    manager = log_in(cast.zhaoqiang)

    assert post(manager, cast.xiaomei, "tags", "remove", kind="own", tag=tag.id).status_code == 404
    assert post(manager, cast.xiaomei, "notes", "remove", note=note.id).status_code == 404
    assert manager.get(f"{url(cast.xiaomei, 'notes')}?note={note.id}", headers=HTMX).status_code == 404


def test_a_tag_that_follows_a_segment_is_shown_as_automatic_and_cannot_be_touched(cast, log_in):
    tag_id = make_tag("老客", "自动")
    follow(tag_id, living())
    client = log_in(cast.lina)
    page = client.get(url(cast.xiaomei)).content.decode()
    assert "老客" in page
    assert ">自动</small>" in page
    sheet = client.get(url(cast.xiaomei, "tags"), headers=HTMX)
    assert "老客" not in sheet.content.decode()
    for way in ("add", "remove"):
        refused = post(client, cast.xiaomei, "tags", way, kind="chain", tag=tag_id)
        assert refused.status_code == 422
    assert MemberTag.objects.filter(tag_id=tag_id, removed_at=None).count() == 2
