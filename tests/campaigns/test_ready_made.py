"""The ready-made journeys can all be run, are installed once, and do nothing until somebody switches them on."""

import datetime as dt
from io import StringIO

import pytest
from django.core.management import call_command

from campaigns.contracts.ready_made import READY_MADE, ReadyMade
from campaigns.models import Enrolment, EnrolmentStep, Journey, JourneyState, Reach
from campaigns.selectors.journeys import STEP_KINDS, draw, read_definition
from campaigns.services import journeys
from core import clock
from members.models import Member
from tests.campaigns.journey_kit import BOSS, DAY, run, start
from tests.cast import Cast


@pytest.mark.parametrize("made", READY_MADE, ids=lambda made: made.code)
@pytest.mark.django_db
def test_each_is_whole_and_can_be_drawn(made: object) -> None:
    definition = read_definition(made.definition)  # type: ignore[attr-defined]
    picture = draw(definition, {})
    assert len(picture.boxes) == len(definition.steps) + 1
    corners = {(box.x, box.y) for box in picture.boxes}
    assert len(corners) == len(picture.boxes)
    assert all(
        box.x >= 0 and box.x + 208 <= picture.width and box.y + 66 <= picture.height for box in picture.boxes
    )


def test_they_are_installed_once_and_off(cast: Cast) -> None:
    out = StringIO()
    call_command("install_journeys", stdout=out)
    assert f"装入 {len(READY_MADE)} 个旅程" in out.getvalue()
    assert set(Journey.objects.values_list("state", flat=True)) == {JourneyState.DRAFT}
    call_command("install_journeys", stdout=out)
    assert Journey.objects.count() == len(READY_MADE)


def test_the_welcome_leads_a_follower_to_her_invitation(cast: Cast) -> None:
    journeys.install_ready_made(actor=BOSS)
    row = Journey.objects.get(made_as="welcome")
    journeys.start_journey(journey_id=row.pk, actor=BOSS)
    Member.objects.filter(pk=cast.xiaoli.id).update(is_following=False)
    Member.objects.filter(pk=cast.xiaoli.id).update(is_following=True)
    run()
    assert Enrolment.objects.get().member_id == cast.xiaoli.id
    run(DAY)
    run(2 * DAY)
    assert Reach.objects.get().topic == "care"
    Member.objects.filter(pk=cast.xiaoli.id).update(stage="member")
    run(2 * DAY)
    assert Enrolment.objects.get().state == "achieved"
    assert clock.now() - Enrolment.objects.get().entered_at < dt.timedelta(hours=1)


@pytest.mark.parametrize("made", READY_MADE, ids=lambda made: made.code)
def test_nothing_is_done_for_her_at_an_odd_hour_of_a_later_day(cast: Cast, made: ReadyMade) -> None:
    """She comes in at 23:40, nothing that is waited for happens, and time goes on."""
    night = dt.datetime(2027, 1, 10, 23, 40, tzinfo=clock.SHANGHAI)
    row = start({name: part for name, part in made.definition.items() if name != "who"}, at=night)
    entry = journeys.Entry(cast.xiaomei.id, "t", {"day": "1月13日"})
    pk = journeys.let_in(version=row.version, entries=[entry], at=night)[cast.xiaomei.id]  # type: ignore[arg-type]
    for _step in range(12):
        mine = Enrolment.objects.get(pk=pk)
        if mine.state != "waiting":
            break
        journeys.run_journeys(at=max(mine.due_at, night))
    assert mine.state == "done"
    kinds = {name: step["kind"] for name, step in made.definition["steps"].items()}
    done = [
        (step.step, step.at.astimezone(clock.SHANGHAI))
        for step in EnrolmentStep.objects.filter(enrolment=pk)
        if STEP_KINDS[kinds[step.step]].is_act
    ]
    assert done
    odd = [(name, at) for name, at in done if at.date() > night.date() and not 9 <= at.hour < 20]
    assert odd == []
