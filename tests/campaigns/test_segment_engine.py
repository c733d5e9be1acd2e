"""Rules of segments: what they yield is what plain Python finds, member by member; what is wrong is named."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker

from campaigns.errors import RuleUnfit
from campaigns.selectors import segments
from members.selectors.conditions import all_conditions
from tests.campaigns.segment_kit import DAY, World, make_living, make_world
from tests.campaigns.segment_naive import CHECKS, Person, holds, load, members_of
from tests.campaigns.segment_rules import rules
from tests.kept_rows import kept_rows

pytestmark = pytest.mark.django_db
many = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    def make() -> World:
        made = make_world()
        made.living = make_living(made)
        return made

    with kept_rows(django_db_blocker, make) as made:
        yield made


@pytest.fixture(scope="module")
def people(world: World, django_db_blocker: DjangoDbBlocker) -> dict[int, Person]:
    with django_db_blocker.unblock():
        return load(world)


def found(rule: Any, among: list[int] | None = None) -> set[int]:
    """Whom the one statement gives."""
    tree = segments.read_rule(rule)
    wanted = segments.select_members(segments.found_of(tree, DAY), among=among)
    with connection.cursor() as cursor:
        cursor.execute(wanted.text, wanted.params)
        rows = cursor.fetchall()
    ids = [row[0] for row in rows]
    assert len(ids) == len(set(ids)), "a member came twice"
    return set(ids)


def test_every_condition_has_its_check() -> None:
    assert set(CHECKS) == set(all_conditions())


@pytest.mark.parametrize("code", list(CHECKS))
def test_a_condition_yields_whom_plain_python_finds(
    world: World, people: dict[int, Person], code: str
) -> None:
    seen: list[int] = []

    @settings(many, max_examples=25)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        rule = data.draw(rules(world, (code,)))
        yielded = found(rule)
        assert yielded == members_of(rule, people)
        seen.append(len(yielded))

    check()
    assert any(0 < size < len(people) for size in seen), "no rule told members apart"


@many
@given(data=st.data())
def test_a_tree_yields_whom_plain_python_finds(
    world: World, people: dict[int, Person], data: st.DataObject
) -> None:
    rule = data.draw(rules(world))
    wanted = members_of(rule, people)
    assert found(rule) == wanted
    among = data.draw(st.lists(st.sampled_from(world.people), max_size=20, unique=True))
    assert found(rule, among) == wanted & set(among)


@settings(many, max_examples=40)
@given(data=st.data())
def test_the_explanation_of_a_member_says_what_the_rule_says(
    world: World, people: dict[int, Person], data: st.DataObject
) -> None:
    rule = data.draw(rules(world))
    member_id = data.draw(st.sampled_from(list(people)))
    verdict = segments.explain_member(segments.read_rule(rule), member_id, day=DAY)
    assert verdict is not None
    assert verdict.is_true == holds(rule, people[member_id])
    told = [part for part in _walk(verdict) if not part.how]
    assert [part.is_true for part in told] == [holds(leaf, people[member_id]) for leaf in _leaves(rule)]
    assert all(part.words for part in told)


def _walk(verdict: Any) -> Iterator[Any]:
    yield verdict
    for part in verdict.parts:
        yield from _walk(part)


def _leaves(rule: Any) -> Iterator[Any]:
    if "is" in rule:
        yield rule
        return
    [parts] = rule.values()
    for part in parts:
        yield from _leaves(part)


@settings(many, max_examples=60)
@given(data=st.data())
def test_a_rule_is_written_as_it_was_read_and_fits_the_published_schema(
    world: World, data: st.DataObject
) -> None:
    rule = data.draw(rules(world))
    tree = segments.read_rule(rule)
    assert segments.read_rule_text(json.dumps(segments.write_rule(tree))) == tree
    jsonschema.Draft202012Validator(segments.rule_schema()).validate(rule)


def test_who_lives_on_in_another_row_or_nowhere_is_in_no_segment(world: World) -> None:
    everybody = found({"none": [{"is": "members.source", "with": {"sources": ["sync"]}}]})
    assert world.people[1] not in everybody
    assert world.people[3] not in everybody
    assert segments.explain_member(segments.read_rule({"is": "members.following"}), world.people[1]) is None


def test_nobody_and_everybody(world: World, people: dict[int, Person]) -> None:
    bought = {"is": "sales.orders", "with": {"count": {"at_least": 1}}}
    assert found({"all": [bought, {"none": [bought]}]}) == set()
    assert found({"any": [bought, {"none": [bought]}]}) == set(people)


def test_a_count_and_a_sample_respect_what_the_account_sees(world: World, people: dict[int, Person]) -> None:
    tree = segments.read_rule({"is": "guides.bound"})
    head, east = world.cast.head_office, world.cast.regional
    whole = segments.count_members(tree, staff=head, day=DAY).member_count
    part = segments.count_members(tree, staff=east, day=DAY).member_count
    assert whole is not None
    assert part is not None
    assert 0 < part < whole
    hers = found({"all": [{"is": "guides.region", "with": {"regions": [world.cast.east.id]}}]})
    assert {card.id for card in segments.list_sample(tree, staff=east, day=DAY)} <= hers
    assert len(segments.list_sample(tree, staff=head, day=DAY)) == 10


def test_pivots_count_everybody_under_each_facet(world: World, people: dict[int, Person]) -> None:
    tree = segments.read_rule({"none": [{"is": "members.source", "with": {"sources": ["sync"]}}]})
    pivots = segments.list_pivots(tree, day=DAY)
    assert [sum(line.member_count for line in pivot.lines) for pivot in pivots] == [len(people)] * len(pivots)
    genders = {line.label: line.member_count for line in pivots[1].lines}
    assert genders["女"] == sum(person["row"].gender == "female" for person in people.values())
    for pivot in pivots:
        assert 9_990 <= sum(line.share_bp for line in pivot.lines) <= 10_000


def test_one_table_is_joined_once_however_many_conditions_ask_it(world: World) -> None:
    conditions = [
        {"is": "sales.orders", "with": {"count": {"at_least": 1}}},
        {"is": "sales.amount", "with": {"amount": {"at_least": 100}}},
        {"is": "sales.last", "with": {"when": {"last_days": 30}}},
    ]
    wanted = segments.members_sql(segments.read_rule({"any": conditions}), day=DAY)
    assert wanted.text.count("JOIN") == 1


def faults_of(rule: Any) -> list[tuple[str, str]]:
    with pytest.raises(RuleUnfit) as refused:
        segments.read_rule(rule)
    return [(fault["path"], fault["code"]) for fault in refused.value.details["faults"]]


AGE = "members.age"


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    [
        (None, "", "not_an_object"),
        ([], "", "not_an_object"),
        ({}, "", "not_a_node"),
        ({"all": [], "any": []}, "", "not_a_node"),
        ({"all": []}, "/all", "empty_group"),
        ({"all": {}}, "/all", "not_a_list"),
        ({"all": [3]}, "/all/0", "not_an_object"),
        ({"all": [{"is": "members.following"}], "some": 1}, "/some", "unknown_field"),
        ({"is": "members.shoe"}, "/is", "unknown_condition"),
        ({"is": ["members.age"]}, "/is", "unknown_condition"),
        ({"is": AGE}, "/with/years", "missing_field"),
        ({"is": AGE, "with": []}, "/with", "not_an_object"),
        ({"is": AGE, "with": {"years": {"at_least": "18"}}}, "/with/years/at_least", "not_a_number"),
        ({"is": AGE, "with": {"years": {"at_least": 18.0}}}, "/with/years/at_least", "not_a_number"),
        ({"is": AGE, "with": {"years": {"at_least": True}}}, "/with/years/at_least", "not_a_number"),
        ({"is": AGE, "with": {"years": {"at_least": 10**40}}}, "/with/years/at_least", "out_of_range"),
        ({"is": AGE, "with": {"years": {"at_least": 30, "at_most": 20}}}, "/with/years", "upside_down"),
        ({"is": AGE, "with": {"years": {}}}, "/with/years/at_least", "missing_field"),
        ({"is": AGE, "with": {"years": {"least": 1}}}, "/with/years/least", "unknown_field"),
        ({"is": AGE, "with": {"years": {"at_least": 1}, "a/b~c": 1}}, "/with/a~1b~0c", "unknown_field"),
        ({"is": "members.gender", "with": {"genders": ["f"]}}, "/with/genders/0", "unknown_choice"),
        ({"is": "members.gender", "with": {"genders": [{}]}}, "/with/genders/0", "unknown_choice"),
        ({"is": "members.gender", "with": {"genders": []}}, "/with/genders", "empty_list"),
        ({"is": "members.tag", "with": {"tags": [987654321]}}, "/with/tags/0", "unknown_row"),
        ({"is": "members.tag", "with": {"tags": ["1"]}}, "/with/tags/0", "not_a_number"),
        ({"is": "members.tag", "with": {"tags": [2**70]}}, "/with/tags/0", "out_of_range"),
        ({"is": "members.tag", "with": {"tags": list(range(500))}}, "/with/tags", "too_many"),
        ({"is": "guides.store", "with": {"stores": ["T01\0"]}}, "/with/stores/0", "not_a_text"),
        ({"is": "members.joined", "with": {"when": {"last_days": 3, "from": "2026-01-01"}}}, "/with/when", "several_ways"),
        ({"is": "members.joined", "with": {"when": {"from": "2026-13-01"}}}, "/with/when/from", "not_a_day"),
        ({"is": "members.joined", "with": {"when": {"from": 20260101}}}, "/with/when/from", "not_a_day"),
        ({"is": "members.joined", "with": {"when": {"from": "2026-03-01", "until": "2026-02-01"}}}, "/with/when", "upside_down"),
        ({"is": "members.place", "with": {"cities": ["\ud800"]}}, "/with/cities/0", "not_a_text"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(world: World, rule: Any, path: str, code: str) -> None:
    assert (path, code) in faults_of(rule)


def test_all_that_is_wrong_is_told_at_once(world: World) -> None:
    rule = {"all": [{"is": AGE}, {"any": []}, {"is": "members.gender", "with": {"genders": ["x"], "y": 1}}]}
    assert faults_of(rule) == [
        ("/all/0/with/years", "missing_field"),
        ("/all/1/any", "empty_group"),
        ("/all/2/with/y", "unknown_field"),
        ("/all/2/with/genders/0", "unknown_choice"),
    ]


@pytest.mark.parametrize("depth", [7, 200, 5_000, 100_000])
def test_a_tree_that_is_too_deep_is_refused_and_breaks_nothing(world: World, depth: int) -> None:
    text = '{"all":[' * depth + '{"is":"members.following"}' + "]}" * depth
    with pytest.raises(RuleUnfit) as refused:
        segments.read_rule_text(text)
    assert refused.value.details["faults"][0]["code"] in {"too_deep", "too_large"}
    assert len(refused.value.details["faults"]) == 1


def test_a_rule_has_no_more_conditions_than_anybody_reads(world: World) -> None:
    leaf = {"is": "members.following"}
    wide = {"any": [{"all": [leaf] * 50} for _ in range(3)]}
    assert faults_of(wide)[0][1] == "too_large"
    assert faults_of({"any": [leaf] * 61}) == [("/any", "too_large")]


@pytest.mark.parametrize("text", ["", "{", "nul", '{"all":NaN}', "[" * 3, '{"is":"members.following"}x'])
def test_what_is_no_json_is_refused(world: World, text: str) -> None:
    with pytest.raises(RuleUnfit) as refused:
        segments.read_rule_text(text)
    assert refused.value.details["faults"][0]["code"] == "not_json"


@given(st.text(max_size=200))
@settings(many, max_examples=60)
def test_any_text_is_read_or_refused(world: World, text: str) -> None:
    try:
        segments.read_rule_text(text)
    except RuleUnfit as unfit:
        assert unfit.details["faults"]  # noqa: PT017 most texts are refused
