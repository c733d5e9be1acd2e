"""Tags at the staff's desk: words, a member's panel, tagging a selection or a search; guides' own words stay away."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from guides import services as guide_services
from members import selectors, services
from members.models import MemberTag, Tag, TagGroup
from tests.assistant.test_pages import give_members
from tests.cast import DIRECTOR, Cast

LIST = "admin:members_member_changelist"
CONFIRMED = {"_confirmed": "1"}


def make_tag(name: str = "敏感肌", *, group: str = "肤质", is_exclusive: bool = False) -> Any:
    made = services.create_tag_group(name=group, is_exclusive=is_exclusive, actor=DIRECTOR)
    return services.create_tag(group_id=made.id, name=name, actor=DIRECTOR)


def bulk(desk: Client, action: str, ids: list[int], query: str = "", **fields: Any) -> Any:
    data = {"action": action, "_selected_action": ids, **fields}
    return desk.post(f"{reverse(LIST)}?q={query}", data)


def told(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def test_groups_and_tags_are_made_and_changed_through_the_forms(desk: Client, cast: Cast) -> None:
    desk.post(reverse("admin:members_taggroup_add"), {"name": "肤质", "is_exclusive": "on", "order": 2})
    group = TagGroup.objects.get()
    assert (group.name, group.is_exclusive, group.order) == ("肤质", True, 2)
    desk.post(reverse("admin:members_tag_add"), {"group": group.pk, "name": "敏感肌"})
    tag = Tag.objects.get()
    desk.post(reverse("admin:members_tag_change", args=[tag.pk]), {"name": "易敏感"})
    tag.refresh_from_db()
    assert (tag.name, tag.is_active) == ("易敏感", False)
    group_url = reverse("admin:members_taggroup_change", args=[group.pk])
    desk.post(group_url, {"name": "肤质", "order": 1})
    group.refresh_from_db()
    assert (group.is_exclusive, group.order) == (True, 1)


def test_a_taken_name_is_an_error_of_the_form(desk: Client, cast: Cast) -> None:
    made = make_tag()
    answer = desk.post(reverse("admin:members_tag_add"), {"group": made.group.id, "name": "敏感肌"})
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors


def test_the_tag_list_counts_the_accounts_own_members(desk: Client, east_desk: Client, cast: Cast) -> None:
    made = make_tag()
    services.tag_members(member_ids=[cast.xiaomei.id, cast.xiaoli.id], tag_id=made.id, actor=DIRECTOR)
    url = reverse("admin:members_tag_changelist")
    assert desk.get(url).context["cl"].result_list[0].member_total == 2
    assert east_desk.get(url).context["cl"].result_list[0].member_total == 1
    assert east_desk.post(reverse("admin:members_tag_add"), {}).status_code == 403


def test_a_selection_is_tagged_after_the_numbers_were_told(desk: Client, cast: Cast) -> None:
    made = make_tag()
    services.tag_members(member_ids=[cast.xiaoli.id], tag_id=made.id, actor=DIRECTOR)
    ids = [cast.xiaomei.id, cast.xiaoli.id]

    assert "2" in bulk(desk, "tag_selected", ids).context["question"].lines[0]
    asked = bulk(desk, "tag_selected", ids, tag=made.id, expires_on="2099-12-31", **CONFIRMED)
    lines = " ".join(str(line) for line in asked.context["question"].lines)
    assert "1 位会打上" in lines
    assert "1 位早已有" in lines
    assert MemberTag.objects.count() == 1
    chosen = {field.name: field.value() for field in asked.context["form"]}
    done = bulk(desk, "tag_selected", ids, **chosen, **CONFIRMED)

    assert done.status_code == 302
    assert "1" in told(done)
    line = selectors.list_member_tags(cast.xiaomei.id)[0]
    assert (line.tag, line.tagged_by) == (made, f"后台 {cast.head_office}")
    assert line.expires_at is not None


def test_a_whole_search_is_tagged_and_untagged(desk: Client, cast: Cast) -> None:
    dry = make_tag("干性", is_exclusive=True)
    oily = services.create_tag(group_id=dry.group.id, name="油性", actor=DIRECTOR)
    members = give_members(cast.lina, 60)
    services.tag_members(member_ids=[members[0].id], tag_id=dry.id, actor=DIRECTOR)
    one = [members[0].id]
    across = {"select_across": "1", "sure": "1", **CONFIRMED}

    asked = bulk(desk, "tag_selected", one, "会员", tag=oily.id, **{**across, "sure": ""})
    assert any("1 位原来的标签" in str(line) for line in asked.context["question"].lines)
    bulk(desk, "tag_selected", one, "会员", tag=oily.id, **across)

    assert selectors.count_tagged([dry.id, oily.id]) == {oily.id: 60}
    bulk(desk, "untag_selected", one, "会员", tag=oily.id, **across)
    assert selectors.count_tagged([oily.id]) == {}


def test_another_parts_members_are_not_reached(east_desk: Client, cast: Cast) -> None:
    made = make_tag()
    bulk(east_desk, "tag_selected", [cast.xiaomei.id, cast.xiaoli.id], tag=made.id, sure="1", **CONFIRMED)
    assert list(selectors.tagged_member_ids(made.id)) == [cast.xiaomei.id]


def test_a_day_that_is_over_and_a_retired_tag_are_refused_on_the_page(desk: Client, cast: Cast) -> None:
    made = make_tag()
    ids = [cast.xiaomei.id]
    answer = bulk(desk, "tag_selected", ids, tag=made.id, expires_on="2020-01-01", sure="1", **CONFIRMED)
    assert answer.context["form"].errors["expires_on"]
    make_tag("别的", group="别的组")
    services.retire_tag(tag_id=made.id, actor=DIRECTOR)
    answer = bulk(desk, "tag_selected", ids, tag=made.id, sure="1", **CONFIRMED)
    assert answer.context["form"].errors["tag"]
    assert not MemberTag.objects.exists()


def test_the_members_page_shows_tags_and_nothing_that_guides_keep_for_themselves(
    desk: Client, cast: Cast
) -> None:
    made = make_tag()
    services.tag_members(member_ids=[cast.xiaomei.id], tag_id=made.id, actor=DIRECTOR)
    hers: dict[str, Any] = {"guide_id": cast.lina.id, "public_id": cast.xiaomei.public_id, "actor": DIRECTOR}
    guide_services.add_note(text="喜欢安静的试衣间", **hers)
    guide_services.tag_privately(name="话很少", **hers)

    html = desk.get(reverse("admin:members_member_change", args=[cast.xiaomei.id])).content.decode()

    assert "敏感肌" in html
    assert "喜欢安静的试衣间" not in html
    assert "话很少" not in html


@pytest.mark.parametrize("model", ["guidenote", "guidetag", "guidemembertag", "guideremark"])
def test_guides_own_tables_have_no_page(model: str) -> None:
    from django.contrib import admin

    assert model not in {found._meta.model_name for found in admin.site._registry}
