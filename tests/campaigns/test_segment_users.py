"""A segment is not taken away from campaigns and journeys that rest on it; each with the race, and the race without turns."""

import threading
from typing import Any

import pytest

from campaigns import services
from campaigns.errors import SegmentHeld
from campaigns.models import Campaign, Enrolment, Journey, Segment
from campaigns.services import journeys
from core import audit, clock
from core.errors import Refusal
from tests.campaigns.campaign_kit import NOW, Desk, make_desk
from tests.campaigns.journey_kit import (
    BOSS,
    DAY,
    change,
    definition,
    enter,
    points,
    run,
    start,
    wait,
    wait_event,
)
from tests.campaigns.test_segment_holdings import FAMILY, FOLLOWING
from tests.cast import DIRECTOR, Cast
from tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(cast: Cast) -> Desk:
    return make_desk(cast)


def living(name: str = "关注的人", rule: object = FOLLOWING) -> Segment:
    public_id = services.create_segment(name=name, kind="living", rule=rule, actor=DIRECTOR)
    return Segment.objects.get(public_id=public_id)


def retire(public_id: str) -> None:
    services.retire_segment(public_id=public_id, actor=DIRECTOR)


def held(public_id: str) -> tuple[str, list[str], list[str]]:
    """What retiring it is refused with: the sentence, the campaigns, the journeys."""
    with pytest.raises(SegmentHeld) as caught:
        retire(public_id)
    assert caught.value.code == "campaigns.segment_held"
    assert Segment.objects.get(public_id=public_id).is_active
    return caught.value.message, caught.value.details["campaigns"], caught.value.details["journeys"]


def asking(segment: Segment) -> dict[str, Any]:
    return {"all": [{"is": "campaigns.segment", "with": {"segments": [segment.public_id]}}]}


@pytest.mark.parametrize("state", ["submitted", "approved", "running", "paused"])
def test_an_open_campaign_keeps_its_segment_and_the_one_that_it_leaves_out(desk: Desk, state: str) -> None:
    left_out = living("导入的人", FAMILY)  # nobody: the campaign is for all the others
    row = desk.submitted(excluded_segment=left_out.public_id)
    Campaign.objects.filter(pk=row.pk).update(state=state)
    words = "活动“双十二预热”还在用它，请先停止它们，再停用人群"
    for public_id in (desk.segment, left_out.public_id):
        assert held(public_id) == (words, ["双十二预热"], [])
    Campaign.objects.filter(pk=row.pk).update(state="ended", ended_at=clock.now())
    retire(desk.segment)
    retire(left_out.public_id)


def test_a_draft_keeps_nothing_and_is_refused_when_it_is_submitted(desk: Desk) -> None:
    row = desk.made()
    retire(desk.segment)
    with pytest.raises(Refusal) as refused:
        services.submit_campaign(campaign_id=row.pk, revision=1, actor=desk.writer, at=NOW)
    assert [fault["path"] for fault in refused.value.details["faults"]] == ["/segment"]


@pytest.mark.parametrize(
    "place",
    [
        "entry",
        "wait_event",
        "branch_event",
        "branch_rule",
        "who",
        "exit_rule",
        "exit_moment",
        "goal",
        "daily",
    ],
)
@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_journey_keeps_every_segment_that_it_listens_to_or_asks_for(
    cast: Cast, place: str, state: str
) -> None:
    segment = living()
    into = f"in:{segment.public_id}"
    rule = asking(segment)
    plain = {"a": points(1)}
    daily = {"on": "daily", "with": {"rule": rule, "at": "10:00"}}
    drafts: dict[str, dict[str, Any]] = {
        "entry": definition(plain, on=into),
        "wait_event": definition({"a": wait_event(f"out:{segment.public_id}", 7)}),
        "branch_event": definition({"a": {"kind": "branch_event", "with": {"event": into}}}),
        "branch_rule": definition({"a": {"kind": "branch_rule", "with": {"rule": rule}}}),
        "who": definition(plain, who=rule),
        "exit_rule": definition(plain, exits=[{"rule": rule}]),
        "exit_moment": definition(plain, exits=[{"on": into}]),
        "goal": definition(plain, goal={"rule": rule}),
        "daily": {"trigger": daily, "first": "a", "steps": plain},
    }
    row = start(drafts[place], name="新客培育")
    Journey.objects.filter(pk=row.pk).update(state=state)
    assert held(segment.public_id) == (
        "旅程“新客培育”还在用它，请先停止它们，再停用人群",
        [],
        ["新客培育"],
    )
    journeys.end_journey(journey_id=row.pk, actor=BOSS)
    retire(segment.public_id)


def test_an_older_version_keeps_it_while_somebody_is_under_way_in_it(cast: Cast) -> None:
    segment, other = living(), living("别的人群")
    row = start(definition({"a": wait(1, "b"), "b": points(1)}, exits=[{"on": f"out:{segment.public_id}"}]))
    enter(row, cast.xiaomei.id)
    change(row, definition({"a": points(1)}))
    assert held(segment.public_id)[2] == ["旅程"]
    retire(other.public_id)
    run(2 * DAY)
    assert not Enrolment.objects.live().exists()
    retire(segment.public_id)


def test_a_journey_that_is_only_written_keeps_nothing_and_does_not_start_afterwards(cast: Cast) -> None:
    segment = living()
    row = journeys.create_journey(
        name="草稿", draft=definition({"a": points(1)}, who=asking(segment)), actor=BOSS
    )
    retire(segment.public_id)
    with pytest.raises(Refusal) as refused:
        journeys.start_journey(journey_id=row.pk, actor=BOSS)
    assert refused.value.code == "campaigns.journey_unfit"


def test_of_many_the_first_five_are_named_and_all_are_counted(desk: Desk) -> None:
    segment = Segment.objects.get(public_id=desk.segment)
    for number in range(7):
        desk.submitted(name=f"活动{number}")
    start(definition({"a": points(1)}, who=asking(segment)), name="新客培育")
    words, campaigns, ways = held(desk.segment)
    assert words == (
        "活动“活动0”、“活动1”、“活动2”、“活动3”、“活动4”、旅程“新客培育”等 8 个还在用它，请先停止它们，再停用人群"
    )
    assert (len(campaigns), ways) == (7, ["新客培育"])
    assert not audit.list_entries(subject=segment)[0].action.endswith("retired")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["campaign", "journey"])
def test_retiring_while_somebody_begins_to_use_it_lets_one_of_both_happen(cast: Cast, what: str) -> None:
    desk = make_desk(cast)
    for number in range(5):
        segment = living(f"人群{number}")
        if what == "campaign":
            made = desk.made(segment=segment.public_id)

            def begin(made: Campaign = made) -> None:
                services.submit_campaign(campaign_id=made.pk, revision=1, actor=desk.writer, at=NOW)
        else:
            draft = definition({"a": points(1)}, who=asking(segment))
            way = journeys.create_journey(name=f"旅程{number}", draft=draft, actor=BOSS)

            def begin(way: Journey = way) -> None:  # type: ignore[misc]
                journeys.start_journey(journey_id=way.pk, actor=BOSS)

        answers = at_once([begin, lambda public_id=segment.public_id: retire(public_id)])  # type: ignore[misc]
        refusals = [answer for answer in answers if answer is not None]
        assert len(refusals) == 1, answers
        assert refusals[0].code in {
            "campaigns.segment_held", "campaigns.campaign_unfit", "campaigns.journey_unfit",
        }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_without_turns_a_segment_goes_while_a_campaign_begins_to_use_it(cast: Cast) -> None:
    """The twin: each looks at what the other has not committed yet, and both do as they meant to."""
    desk = make_desk(cast)
    row = desk.made()
    segment = Segment.objects.get(public_id=desk.segment)
    looked = threading.Barrier(2)

    def submit() -> None:
        assert Segment.objects.active().filter(pk=segment.pk).exists()
        looked.wait(timeout=30)
        Campaign.objects.filter(pk=row.pk).update(state="submitted")

    def take_away() -> None:
        assert not Campaign.objects.filter(segment=segment, state="submitted").exists()
        looked.wait(timeout=30)
        Segment.objects.filter(pk=segment.pk).update(is_active=False)

    assert at_once([submit, take_away]) == [None, None]
    assert Campaign.objects.filter(state="submitted", segment__is_active=False).exists()
