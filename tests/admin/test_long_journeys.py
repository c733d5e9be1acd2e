"""A journey of as many steps as there may be: its pages ask the database no more than those of a short one."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import services
from campaigns.contracts.journeys import MOST_STEPS
from campaigns.models import Journey
from campaigns.selectors.journeys import back_ways, draw, find_definition, read_definition
from campaigns.selectors.journeys.graph import ways_of
from campaigns.services import journeys
from tests.admin.act_kit import act_values
from tests.campaigns.journey_kit import BOSS, definition, enter, start
from tests.campaigns.long_journey import FOLLOWING, chapters, tree
from tests.cast import Cast
from tests.forms import sent_by

pytestmark = pytest.mark.django_db
_NAMED = re.compile(r'FROM "(campaigns|coupons|members|guides|sales)_')


@pytest.fixture
def acts(cast: Cast, client: Client) -> dict[str, dict[str, Any]]:
    """What is given; the asking account is head office's, and there are segments to choose from."""
    client.force_login(cast.head_office)
    for number in range(3):
        services.create_segment(name=f"人群{number}", kind="living", rule=FOLLOWING, actor=BOSS)
    return act_values(cast)


def asked(call: Callable[[], Any]) -> tuple[Any, int]:
    """The answer, and how often tables of what journeys name were asked for it; sessions and rights are not theirs."""
    with CaptureQueriesContext(connection) as queries:
        answer = call()
    assert answer.status_code == 200
    return answer, sum(bool(_NAMED.search(query["sql"])) for query in queries)


def test_it_has_as_many_steps_as_there_may_be_and_no_more(acts: dict[str, dict[str, Any]]) -> None:
    whole = chapters(acts)
    assert len(whole["steps"]) == MOST_STEPS
    assert find_definition(whole)[1] == []
    one_more = {**whole, "steps": {**whole["steps"], "x": whole["steps"]["w0"]}}
    assert [fault.code for fault in find_definition(one_more)[1]] == ["too_many_steps"]


def test_its_pages_ask_no_more_than_those_of_a_short_one(
    cast: Cast, client: Client, acts: dict[str, dict[str, Any]]
) -> None:
    counts: dict[int, list[int]] = {}
    kinds = len(acts)  # a chapter for each kind of act, so that both have all of them
    for count in (kinds, MOST_STEPS // 6):
        row = start(chapters(acts, count), f"{count} 章")
        enter(row, cast.xiaomei.id)
        edit, page = (
            reverse(f"admin:campaigns_journey_{name}", args=[row.pk]) for name in ("edit", "change")
        )
        form, editing = asked(partial(client.get, edit))
        sent = sent_by(form.content.decode(), having="s.0.name")
        preview = reverse("admin:campaigns_journey_preview")
        drawn, previewing = asked(partial(client.post, preview, sent))
        assert len(drawn.context["picture"].boxes) == count * 6 + 1
        looked, looking = asked(partial(client.post, edit, sent | {"deed": "look"}))
        assert len(looked.context["cards"]) == count * 6
        _page, reading = asked(partial(client.get, page, {"version": "1", "step": "w0"}))
        compare = reverse("admin:campaigns_journey_compare", args=[row.pk])
        _compared, comparing = asked(partial(client.get, compare))
        counts[count] = [editing, previewing, looking, reading, comparing]
    short, long = counts.values()
    assert long == short
    assert max(long) <= 15


def test_all_of_it_comes_out_of_the_form_as_it_went_in(
    client: Client, acts: dict[str, dict[str, Any]]
) -> None:
    row = journeys.create_journey(name="六十步", draft=chapters(acts), actor=BOSS)
    edit = reverse("admin:campaigns_journey_edit", args=[row.pk])
    sent = sent_by(client.get(edit).content.decode(), having="s.0.name")
    assert client.post(edit, sent).status_code == 302
    row.refresh_from_db()
    assert row.draft["steps"] == chapters(acts)["steps"]
    full = client.post(edit, sent | {"deed": "add:w0", "revision": str(row.revision)})
    assert len(full.context["cards"]) == MOST_STEPS


def test_sixty_steps_that_each_ask_a_long_rule_are_saved(cast: Cast, client: Client, acts: Any) -> None:
    """More fields than a framework lets through unasked."""
    leaves = [{"is": "members.age", "with": {"years": {"at_least": 18, "at_most": 20 + n}}} for n in range(9)]
    steps = {
        f"b{n}": {"kind": "branch_rule", "with": {"rule": {"any": leaves}}, "next": f"b{n + 1}"}
        for n in range(MOST_STEPS - 1)
    }
    steps[f"b{MOST_STEPS - 1}"] = {"kind": "points", "with": {"points": 1, "reason": "礼"}}
    draft = {"trigger": {"on": "api"}, "first": "b0", "steps": steps}
    row = journeys.create_journey(name="条件很多", draft=draft, actor=BOSS)
    edit = reverse("admin:campaigns_journey_edit", args=[row.pk])
    sent = sent_by(client.get(edit).content.decode(), having="s.0.name")
    assert client.post(edit, sent | {"name": "改过"}).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.draft["steps"]) == ("改过", steps)


def _skips(_acts: Any) -> dict[str, Any]:
    """Each step leads to the next and to the last, some turn back."""
    steps: dict[str, Any] = {
        f"a{n}": {
            "kind": "branch_share",
            "with": {"percent": 50},
            "next": f"a{n + 1}",
            "else": "end" if n % 2 else "w",
        }
        for n in range(8)
    }
    steps["a8"] = {"kind": "wait", "with": {"amount": 1, "unit": "days"}, "next": "a1"}
    steps["w"] = {"kind": "wait", "with": {"amount": 1, "unit": "days"}, "next": "a0"}
    steps["end"] = {"kind": "reach", "with": {"title": "完", "text": "完", "topic": "care"}}
    return definition(steps)


def _along(path: str) -> Iterator[tuple[float, float]]:
    """Points on a way, close together."""
    at = (0.0, 0.0)
    for command, told in re.findall(r"([MLCQ])([^MLCQ]*)", path):
        numbers = list(map(float, told.split()))
        points = [at, *zip(numbers[::2], numbers[1::2], strict=True)]
        if command != "M":
            yield from (_between(points, part / 60) for part in range(61))
        at = points[-1]


def _between(points: list[tuple[float, float]], part: float) -> tuple[float, float]:
    """De Casteljau: of a line and of curves with any number of handles."""
    while len(points) > 1:
        points = [
            (one[0] + (two[0] - one[0]) * part, one[1] + (two[1] - one[1]) * part)
            for one, two in pairwise(points)
        ]
    return points[0]


@pytest.mark.parametrize("drafted", [chapters, lambda _acts: tree()], ids=["chapters", "tree"])
def test_boxes_stand_beside_each_other(acts: Any, drafted: Any) -> None:
    picture = draw(read_definition(drafted(acts)), {})
    spots = [(box.x, box.y) for box in picture.boxes]
    assert len(set(spots)) == len(spots)
    assert all(x >= 0 and x + 208 <= picture.width and y + 66 <= picture.height for x, y in spots)


@pytest.mark.parametrize(
    "drafted", [chapters, lambda _acts: tree(), _skips], ids=["chapters", "tree", "skips"]
)
def test_no_way_runs_through_a_box(acts: Any, drafted: Any) -> None:
    picture = draw(read_definition(drafted(acts)), {})
    inner = [(box.x + 2, box.y + 2, box.x + 206, box.y + 64, box.words) for box in picture.boxes]
    for way in picture.ways:
        hit = [
            words
            for x, y in _along(way.path)
            for left, top, right, bottom, words in inner
            if left < x < right and top < y < bottom
        ]
        assert hit == [], way
        assert all(0 <= x <= picture.width and 0 <= y <= picture.height for x, y in _along(way.path))


def test_each_step_stands_behind_those_that_lead_to_it(acts: Any) -> None:
    definition = read_definition(chapters(acts))
    order, backs = list(definition.steps), back_ways(definition)
    early = [
        (name, following)
        for name, step in definition.steps.items()
        for following in ways_of(step)
        if order.index(following) < order.index(name) and (name, following) not in backs
    ]
    assert early == []
    assert order[:6] == ["w0", "m0", "e0", "t0", "b0", "g0"]


def test_the_list_reads_no_step_of_it(client: Client, acts: dict[str, dict[str, Any]]) -> None:
    listing = reverse("admin:campaigns_journey_changelist")
    start(chapters(acts, 1), "短的")
    _answer, few = asked(partial(client.get, listing))
    for number in range(4):
        start(chapters(acts), f"长的{number}")
    _answer, many = asked(partial(client.get, listing))
    assert Journey.objects.count() == 5
    assert many == few
