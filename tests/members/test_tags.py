"""Tags: one live row per member and tag, one tag of an exclusive group, sets in a few statements, history kept."""

import datetime as dt
import threading
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from members import selectors, services
from members.contracts import TagCard
from members.models import Member, MemberTag
from tests.refusals import refused
from tests.threads import at_once

STAFF = Actor.staff(1, "总部")
NOON = dt.datetime(2026, 11, 20, 4, 0, tzinfo=dt.UTC)


def make_tag(name: str = "敏感肌", group: str = "肤质", *, is_exclusive: bool = False) -> TagCard:
    """A tag in a group of its own."""
    made = services.create_tag_group(name=group, is_exclusive=is_exclusive, actor=STAFF)
    return services.create_tag(group_id=made.id, name=name, actor=STAFF)


def make_pair() -> tuple[TagCard, TagCard]:
    """Two tags of one exclusive group."""
    first = make_tag("干性", is_exclusive=True)
    return first, services.create_tag(group_id=first.group.id, name="油性", actor=STAFF)


def make_member(number: int = 1) -> int:
    return services.register_member(
        name=f"会员{number}", phone=f"138{number:08}", source="pos", actor=STAFF, at=NOON
    ).id


def tag(member_ids: list[int], wanted: TagCard, **fields: Any) -> Any:
    return services.tag_members(member_ids=member_ids, tag_id=wanted.id, actor=STAFF, **fields)


def tags_of(member_id: int, at: dt.datetime | None = None) -> list[str]:
    return [line.tag.name for line in selectors.list_member_tags(member_id, at=at)]


# Words ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_tag_is_made_renamed_retired_and_restored() -> None:
    made = make_tag()
    assert services.rename_tag(tag_id=made.id, name=" 敏感  肌肤 ", actor=STAFF).name == "敏感 肌肤"
    assert not services.retire_tag(tag_id=made.id, actor=STAFF).is_active
    assert selectors.list_tags() == ()
    assert services.restore_tag(tag_id=made.id, actor=STAFF).is_active
    actions = AuditEntry.objects.filter(subject_kind="members.tag").values_list("action", flat=True)
    assert set(actions) == {
        "members.tag_created", "members.tag_renamed", "members.tag_retired", "members.tag_restored",
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "  ", "\0\n", "长" * 21])
def test_an_unusable_name_is_refused(name: str) -> None:
    made = make_tag()
    code = "members.tag_name_unusable"
    assert refused(services.create_tag_group, name=name, actor=STAFF) == code
    assert refused(services.create_tag, group_id=made.group.id, name=name, actor=STAFF) == code
    assert refused(services.rename_tag, tag_id=made.id, name=name, actor=STAFF) == code


@pytest.mark.django_db
def test_a_name_is_taken_once_in_its_group() -> None:
    made = make_tag()
    other = services.create_tag(group_id=made.group.id, name="干性", actor=STAFF)
    assert refused(services.create_tag_group, name="肤质", actor=STAFF) == "members.tag_name_taken"
    again = refused(services.create_tag, group_id=made.group.id, name="敏感肌", actor=STAFF)
    assert again == "members.tag_name_taken"
    assert (
        refused(services.rename_tag, tag_id=other.id, name="敏感肌", actor=STAFF) == "members.tag_name_taken"
    )
    assert make_tag("敏感肌", group="别的组").name == "敏感肌"


# Giving and taking --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_tagging_twice_is_once_and_says_so() -> None:
    made, member = make_tag(), make_member()
    assert (tag([member], made).tagged_count, tag([member, member], made).tagged_count) == (1, 0)
    line = selectors.list_member_tags(member)[0]
    assert (line.tag.name, line.tagged_by, line.expires_at) == ("敏感肌", "后台 总部", None)
    assert AuditEntry.objects.filter(action="members.tagged").count() == 1


@pytest.mark.django_db
def test_untagging_keeps_the_history() -> None:
    made, member = make_tag(), make_member()
    tag([member], made)
    assert services.untag_members(member_ids=[member], tag_id=made.id, actor=STAFF) == 1
    assert services.untag_members(member_ids=[member], tag_id=made.id, actor=STAFF) == 0
    tag([member], made)
    rows = MemberTag.objects.filter(member_id=member).order_by("pk")
    assert [row.removed_at is None for row in rows] == [False, True]
    assert rows[0].removed_by == "后台 总部"


@pytest.mark.django_db
def test_an_exclusive_group_changes_its_tag() -> None:
    dry, oily = make_pair()
    member = make_member()
    tag([member], dry)
    assert tag([member], oily).replaced_count == 1
    assert tags_of(member) == ["油性"]
    assert MemberTag.objects.filter(member_id=member).count() == 2


@pytest.mark.django_db
def test_unknown_retired_and_past_are_refused_and_unknown_members_passed_over() -> None:
    made, member = make_tag(), make_member()
    unknown: dict[str, Any] = {"member_ids": [member], "tag_id": 987_654, "actor": STAFF}
    assert refused(services.tag_members, **unknown) == "members.no_such_tag"
    assert refused(services.untag_members, **unknown) == "members.no_such_tag"
    assert refused(tag, [member], made, at=NOON, expires_at=NOON) == "members.tag_expiry_past"
    assert tag([member, 987_654], made).tagged_count == 1
    services.retire_tag(tag_id=made.id, actor=STAFF)
    assert refused(tag, [member], made) == "members.tag_retired"
    assert services.untag_members(member_ids=[member], tag_id=made.id, actor=STAFF) == 1


@pytest.mark.django_db
def test_a_search_is_tagged_in_few_statements_whatever_its_size() -> None:
    made = make_tag()
    members = [make_member(number) for number in range(1, 61)]
    found = selectors.search_member_ids("会员")

    with CaptureQueriesContext(connection) as queries:
        answer = services.tag_search(members=found, tag_id=made.id, actor=STAFF)

    assert answer.tagged_count == 60
    assert len(queries) <= 8
    assert selectors.count_tagged([made.id]) == {made.id: 60}
    assert set(selectors.tagged_member_ids(made.id)) == set(members)
    assert services.tag_search(members=found, tag_id=made.id, actor=STAFF).had_count == 60
    assert services.untag_search(members=found, tag_id=made.id, actor=STAFF) == 60


# Time ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_tag_that_ran_out_is_gone_before_the_job_comes() -> None:
    made, member = make_tag(), make_member()
    end = NOON + dt.timedelta(days=1)
    tag([member], made, at=NOON, expires_at=end)
    assert tags_of(member, at=end - dt.timedelta(seconds=1)) == ["敏感肌"]
    assert tags_of(member, at=end) == []
    assert (services.expire_tags(at=NOON), services.expire_tags(at=end), services.expire_tags(at=end)) == (
        0,
        1,
        0,
    )


@pytest.mark.django_db
def test_giving_it_again_moves_the_end_or_begins_anew_after_it() -> None:
    made, member = make_tag(), make_member()
    end = NOON + dt.timedelta(days=1)
    tag([member], made, at=NOON, expires_at=end)
    assert tag([member], made, at=NOON, expires_at=end + dt.timedelta(days=1)).had_count == 1
    assert tags_of(member, at=end) == ["敏感肌"]
    late = end + dt.timedelta(days=2)
    assert tag([member], made, at=late).tagged_count == 1
    assert MemberTag.objects.get(member_id=member, removed_at=None).tagged_at == late
    assert selectors.find_last_expiry(member, made.id) == end + dt.timedelta(days=1)


# Merging ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_merge_moves_tags_and_lets_duplicates_collapse() -> None:
    dry, oily = make_pair()
    both, own = make_tag("爱素色", "风格"), make_tag("常来", "习惯")
    older, newer = make_member(1), make_member(2)
    end = clock.now() + dt.timedelta(days=9)
    tag([older], dry, at=NOON)
    tag([newer], oily, at=NOON + dt.timedelta(hours=1))
    tag([older], both, expires_at=end)
    tag([newer], both)
    tag([newer], own)

    survivor = services.merge_members(first_id=older, second_id=newer, actor=STAFF).id

    assert set(tags_of(survivor)) == {"油性", "爱素色", "常来"}
    assert not MemberTag.objects.exclude(member_id=survivor).exists()
    assert MemberTag.objects.filter(member_id=survivor).count() == 5
    line = next(line for line in selectors.list_member_tags(survivor) if line.tag == both)
    assert line.expires_at is None
    emptier = older if survivor == newer else newer
    assert tag([emptier], dry).replaced_count == 1
    assert "干性" in tags_of(survivor)


# Races --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_tags_of_an_exclusive_group_at_once_leave_exactly_one() -> None:
    dry, oily = make_pair()
    members = [make_member(number) for number in range(1, 6)]
    calls = [partial(tag, members, wanted) for wanted in (dry, oily) * 6]
    answers = at_once(calls)
    assert [answer for answer in answers if isinstance(answer, BaseException)] == []
    for member in members:
        assert len(tags_of(member)) == 1
    assert MemberTag.objects.filter(removed_at=None).count() == 5


@pytest.mark.django_db(transaction=True)
def test_without_the_locks_the_database_refuses_the_second() -> None:
    dry, oily = make_pair()
    member = make_member()
    both_free = threading.Barrier(2)

    def bare(wanted: TagCard) -> None:
        with transaction.atomic():
            MemberTag.objects.filter(member_id=member, removed_at=None).update(removed_at=clock.now())
            both_free.wait(timeout=30)
            MemberTag.objects.create(
                member_id=member, tag_id=wanted.id, exclusive_group_id=wanted.group.id, tagged_at=clock.now()
            )

    answers = at_once([lambda: bare(dry), lambda: bare(oily)])
    assert sorted(isinstance(answer, IntegrityError) for answer in answers) == [False, True]


@pytest.mark.django_db(transaction=True)
def test_tagging_while_she_is_merged_tags_the_living_row() -> None:
    made = make_tag()
    for round_number in range(5):
        one, other = make_member(2 * round_number + 1), make_member(2 * round_number + 2)
        answers = at_once(
            [
                partial(services.merge_members, first_id=one, second_id=other, actor=STAFF),
                partial(tag, [one], made),
                partial(tag, [other], made),
            ]
        )
        assert [answer for answer in answers if isinstance(answer, BaseException)] == []
    merged = Member.objects.filter(merged_into__isnull=False)
    assert not MemberTag.objects.filter(member__in=merged).exists()
    assert MemberTag.objects.filter(removed_at=None).count() == 5
