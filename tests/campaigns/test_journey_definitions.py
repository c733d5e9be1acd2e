"""Definitions of journeys: read strictly, all faults at once, and no graph that turns for ever."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.errors import JourneyUnfit
from campaigns.selectors.journeys import (
    back_ways,
    definition_of,
    find_definition,
    read_definition,
    write_definition,
)
from tests.campaigns.journey_kit import definition, points, wait, wait_event

BIRTHDAY = {"on": "birthday", "with": {"days": 3, "at": "10:00"}}


def faults_of(value: Any) -> set[tuple[str, str]]:
    with pytest.raises(JourneyUnfit) as refused:
        read_definition(value)
    assert all(fault["words"] for fault in refused.value.details["faults"])
    return {(fault["path"], fault["code"]) for fault in refused.value.details["faults"]}


def test_all_faults_are_told_at_once_with_their_places() -> None:
    assert faults_of(3) == {("", "not_an_object")}
    assert faults_of({}) == {("/trigger", "not_an_object"), ("/steps", "not_an_object")}
    assert faults_of(
        {
            "trigger": {"on": "birthday", "with": {"days": "3", "at": "25:00"}},
            "who": {"all": [{"is": "members.nothing"}]},
            "re_entry": {"how": "after_days"},
            "exits": [{"on": "nothing"}, {"on": "bought", "rule": {}}, {}],
            "goal": 3,
            "most_rounds": 0,
            "first": "nowhere",
            "more": 1,
            "steps": {
                "a": {"kind": "points", "with": {"points": 0}, "next": "nowhere"},
                "B!": {"kind": "wait"},
                "c": {"kind": "dance"},
                "d": {"kind": "wait", "with": {"amount": 401, "unit": "days"}, "else": "a"},
                "e": {"kind": "branch_rule", "with": {"rule": {"any": []}}},
                "f": {"kind": "wait", "with": {"amount": 3, "unit": "hours", "at": "10:00"}},
                "g": {"kind": "wait", "with": {"amount": 3, "unit": "days", "at": "24:00"}},
            },
        }
    ) == {
        ("/trigger/with/days", "not_a_number"),
        ("/trigger/with/at", "not_a_time"),
        ("/who/all/0/is", "unknown_condition"),
        ("/re_entry/days", "re_entry_days"),
        ("/exits/0/on", "unknown_moment"),
        ("/exits/1", "several_endings"),
        ("/exits/2", "unknown_ending"),
        ("/goal", "not_an_object"),
        ("/most_rounds", "out_of_range"),
        ("/first", "unknown_step"),
        ("/more", "unknown_field"),
        ("/steps/a/with/points", "out_of_range"),
        ("/steps/a/with/reason", "missing_field"),
        ("/steps/a/next", "unknown_step"),
        ("/steps/B!", "step_name_unusable"),
        ("/steps/c/kind", "unknown_step_kind"),
        ("/steps/d/with/amount", "wait_too_long"),
        ("/steps/d/else", "no_way"),
        ("/steps/e/with/rule/any", "empty_group"),
        ("/steps/f/with/at", "time_without_days"),
        ("/steps/g/with/at", "not_a_time"),
    }


def test_steps_that_nobody_reaches_are_refused() -> None:
    assert faults_of(definition({"a": points(1), "b": points(2)})) == {("/steps/b", "unreachable_step")}


def test_a_round_must_wait_somewhere() -> None:
    restless = definition({"a": points(1, following="b"), "b": points(2, following="a")})
    assert faults_of(restless) == {("/steps/a", "loop_without_wait"), ("/steps/b", "loop_without_wait")}
    itself = definition({"a": points(1, following="a")})
    assert faults_of(itself) == {("/steps/a", "loop_without_wait")}
    calm = read_definition(definition({"a": points(1, following="b"), "b": wait(1, "a")}))
    assert back_ways(calm) == {("b", "a")}


def test_a_round_beside_a_waiting_one_is_found() -> None:
    steps = {
        "a": {"kind": "branch_share", "with": {"percent": 50}, "next": "b", "else": "c"},
        "b": wait(1, "a"),
        "c": points(1, following="a"),
    }
    assert faults_of(definition(steps)) == {
        ("/steps/a", "loop_without_wait"),
        ("/steps/c", "loop_without_wait"),
    }


def test_what_was_read_is_written_and_read_back(db: None) -> None:
    given_one = definition(
        {
            "a": wait_event("bought", 7, "b", "c"),
            "b": points(1, following="c", otherwise="d"),
            "c": {"kind": "wait_until", "with": {"at": "10:00", "weekdays": ["1", "6"]}, "next": "d"},
            "d": {"kind": "branch_rule", "with": {"rule": {"is": "members.following"}}},
        },
        on="followed",
        who={"any": [{"is": "members.following"}]},
        re_entry={"how": "after_days", "days": 30},
        exits=[{"on": "unfollowed"}, {"rule": {"is": "members.gender", "with": {"genders": ["male"]}}}],
        goal={"on": "joined"},
    )
    read = read_definition(given_one)
    kept = json.loads(json.dumps(write_definition(read)))
    assert read_definition(kept) == read == definition_of(kept)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
_NAMES = st.sampled_from(["a", "b", "c", "d"])
_STEP = st.builds(
    lambda kind, following, otherwise: (
        {"kind": kind, "with": {"amount": 1, "unit": "days"} if kind == "wait" else {"percent": 50}}
        | ({"next": following} if following else {})
        | ({"else": otherwise} if otherwise and kind != "wait" else {})
    ),
    st.sampled_from(["wait", "branch_share"]),
    st.none() | _NAMES,
    st.none() | _NAMES,
)


@given(
    _JSON
    | st.fixed_dictionaries(
        {"trigger": _JSON, "first": _JSON, "steps": _JSON}, optional={"who": _JSON, "exits": _JSON}
    )
)
def test_anything_at_all_is_read_or_refused_with_words(value: Any) -> None:
    found, faults = find_definition(value)
    assert (found is None) == bool(faults)
    assert all(fault.words for fault in faults)


@given(st.dictionaries(_NAMES, _STEP, min_size=4, max_size=4))
def test_a_graph_that_is_accepted_never_turns_without_waiting_nor_for_ever(steps: dict[str, Any]) -> None:
    found, _faults = find_definition(
        {"trigger": {"on": "api"}, "first": "a", "steps": steps, "most_rounds": 2}
    )
    if found is None:
        return
    backs = back_ways(found)
    # Every walk, by every way: what waits ends a stretch, what turns back counts.
    walks = [(found.first, 0, 0)]
    for _step in range(200):
        if not walks:
            return
        name, quick, rounds = walks.pop()
        assert quick <= len(steps)
        step = found.steps[name]
        for following in {step.next, step.otherwise} - {""}:
            turns = rounds + ((name, following) in backs)
            if turns <= found.most_rounds:
                walks.append((following, 0 if step.kind == "wait" else quick + 1, turns))
