"""The editor of journeys keeps what a draft says: acts of every kind, rules written on the spot, what is not offered any more."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Journey, WebhookEndpoint
from campaigns.selectors.acts import ACT_KINDS
from campaigns.selectors.journeys import find_definition, write_definition
from campaigns.services import journeys
from core.actor import Actor
from members.models import Tag
from tests.admin.act_kit import act_values
from tests.campaigns.journey_kit import definition, points, wait
from tests.cast import Cast
from tests.forms import sent_by

pytestmark = pytest.mark.django_db
DESK = Actor.system("desk")
FOLLOWING = {"is": "members.following", "with": {}}
GROWN = {"is": "members.age", "with": {"years": {"at_least": 18, "at_most": 40}}}


@pytest.fixture
def client(cast: Cast, client: Client) -> Client:
    client.force_login(cast.head_office)
    return client


def edit(row: Journey) -> str:
    return reverse("admin:campaigns_journey_edit", args=[row.pk])


def made(draft: dict[str, Any]) -> Journey:
    return journeys.create_journey(name="旅程", draft=draft, actor=DESK)


def saved_again(client: Client, row: Journey, **changes: Any) -> dict[str, Any]:
    """The draft after somebody opened the editor and saved what was there."""
    sent = sent_by(client.get(edit(row)).content.decode(), having="s.0.name") | changes
    client.post(edit(row), sent)
    row.refresh_from_db()
    draft: dict[str, Any] = row.draft
    return draft


@pytest.mark.parametrize("kind", ACT_KINDS)
def test_every_kind_of_act_comes_out_of_the_form_as_it_went_in(cast: Cast, client: Client, kind: str) -> None:
    draft = definition(
        {"a": {"kind": kind, "with": act_values(cast)[kind], "next": "b"}, "b": wait(1, "c"), "c": points(1)}
    )
    row = made(draft)
    again = saved_again(client, row)
    assert again["steps"] == draft["steps"]
    assert find_definition(again)[1] == []


@pytest.mark.parametrize("kind", ["coupon", "tag", "webhook"])
def test_what_is_not_offered_any_more_stays_until_somebody_changes_it(
    cast: Cast, client: Client, kind: str
) -> None:
    values = act_values(cast)[kind]
    row = made(definition({"a": {"kind": kind, "with": values}}))
    WebhookEndpoint.objects.update(is_active=False)
    Tag.objects.update(is_active=False)
    lost = {"coupon": {"batch": "H4TBNW9CAYQ7M2KX"}, "tag": values, "webhook": values}[kind]
    Journey.objects.update(draft=definition({"a": {"kind": kind, "with": lost}}))
    page = client.get(edit(row)).content.decode()
    assert "现在不能选" in page
    assert saved_again(client, row)["steps"]["a"]["with"] == lost


def rules_draft() -> dict[str, Any]:
    rule = {"any": [FOLLOWING, {"none": [GROWN]}]}
    steps = {
        "ask": {"kind": "branch_rule", "with": {"rule": rule}, "next": "gift", "else": "wait"},
        "gift": points(5),
        "wait": wait(1, "gift"),
    }
    return definition(
        steps,
        who={"all": [GROWN]},
        exits=[{"on": "unfollowed"}, {"rule": {"none": [FOLLOWING]}}, {"rule": {"all": [GROWN, FOLLOWING]}}],
        goal={"rule": {"all": [{"is": "sales.purchases", "with": {"count": {"at_least": 2}}}]}},
    ) | {"trigger": {"on": "daily", "with": {"rule": {"all": [FOLLOWING]}, "at": "10:00"}}}


def test_rules_that_are_written_on_the_spot_come_out_as_they_went_in(cast: Cast, client: Client) -> None:
    draft = rules_draft()
    row = made(draft)
    again = saved_again(client, row)
    assert {name: again[name] for name in draft} == draft
    assert find_definition(again)[1] == []


def test_ready_made_journeys_mean_the_same_after_the_form(cast: Cast, client: Client) -> None:
    journeys.install_ready_made(actor=DESK)
    for row in Journey.objects.all():
        before, faults = find_definition(row.draft)
        assert before is not None, faults
        after, faults = find_definition(saved_again(client, row))
        assert after is not None, faults
        assert write_definition(after) == write_definition(before), row.made_as


def test_a_condition_is_written_with_the_builder_of_segments(cast: Cast, client: Client) -> None:
    row = made(definition({"ask": {"kind": "branch_rule", "with": {}, "next": "gift"}, "gift": points(5)}))
    sent = sent_by(client.get(edit(row)).content.decode(), having="s.0.name")
    sent["s.0.p.rule"] = ["own"]
    build = reverse("admin:campaigns_segment_build")
    opened = client.post(build, sent | {"act": "open:s_0_p_rule"}).content.decode()
    assert 'id="tree-s_0_p_rule"' in opened
    new = {"n.s_0_p_rule": "all", "new.s_0_p_rule": "members.following", "act": "add:s_0_p_rule"}
    assert (
        'name="n.s_0_p_rule-0" value="members.following"' in client.post(build, sent | new).content.decode()
    )
    count = reverse("admin:campaigns_segment_count")
    typed = {"n.s_0_p_rule": "all", "n.s_0_p_rule-0": "members.following"}
    number = client.post(count, sent | typed | {"root": "s_0_p_rule"}).content.decode()
    assert "<b>2</b>" in number
    client.post(edit(row), sent | typed)
    row.refresh_from_db()
    assert row.draft["steps"]["ask"]["with"]["rule"] == {"all": [FOLLOWING]}


def test_what_is_wrong_with_a_condition_stands_in_it_and_is_kept(cast: Cast, client: Client) -> None:
    rule = {"all": [{"is": "members.age", "with": {"years": {"at_least": "viel"}}}]}
    row = made(
        definition(
            {"ask": {"kind": "branch_rule", "with": {"rule": rule}, "next": "gift"}, "gift": points(5)}
        )
    )
    answer = client.get(edit(row))
    [field] = answer.context["cards"][0].fields
    [leaf] = field.tree["parts"]
    assert leaf["fields"][0]["faults"] == ["请填整数"]
    assert saved_again(client, row)["steps"]["ask"]["with"]["rule"] == rule


@pytest.mark.parametrize(
    "rule",
    [
        {"all": [{"is": "members.gone", "with": {"years": 3}}]},
        {"all": [{"is": "members.age", "with": {"years": {"at_least": 1}, "unknown": 3}}]},
        {"any": "x"},
        [],
        "all",
        {"all": [{"all": [{"all": [{"all": [{"all": [{"all": [{"all": [{"all": [{"all": [
            {"all": [{"all": [{"all": [{"all": [{"all": [FOLLOWING]}]}]}]}]}]}]}]}]}]}]}]}]}]},
    ],
)  # fmt: skip
def test_a_rule_that_the_form_cannot_hold_is_kept_as_it_is(cast: Cast, client: Client, rule: Any) -> None:
    row = made(
        definition(
            {"ask": {"kind": "branch_rule", "with": {"rule": rule}, "next": "gift"}, "gift": points(5)}
        )
    )
    assert "保持现在的条件" in client.get(edit(row)).content.decode()
    assert saved_again(client, row)["steps"]["ask"]["with"]["rule"] == rule


def test_an_account_without_segments_writes_rules_all_the_same(cast: Cast, client: Client) -> None:
    from django.contrib.auth.models import Permission

    build = reverse("admin:campaigns_segment_build")
    client.force_login(cast.regional)
    assert client.post(build, {"act": "open:r"}).status_code == 403
    cast.regional.user_permissions.add(
        *Permission.objects.filter(codename__in=["change_journey", "view_journey"])
    )
    assert client.post(build, {"act": "open:r"}).status_code == 200
    assert client.get(build).status_code == 403


def looked_at(client: Client, url: str, page: Any, **changes: Any) -> Any:
    """The form after somebody chose something on that page."""
    sent = sent_by(page.content.decode(), having="s.0.name") | {"deed": "look"} | changes
    answer = client.post(url, sent)
    assert answer.status_code == 200
    return answer


def test_what_was_typed_for_a_kind_comes_back_with_it(cast: Cast, client: Client) -> None:
    row = made(rules_draft())
    url = edit(row)
    first = client.get(url)
    place = next(card.place for card in first.context["cards"] if card.name == "ask")
    kind, prefix = f"s.{place}.kind", f"s.{place}.p"
    points_now = looked_at(client, url, first, **{kind: "points"})
    told = {f"{prefix}.points": "many", f"{prefix}.reason": "礼"}
    reach_now = looked_at(client, url, points_now, **told, **{kind: "reach"})
    channels = {f"{prefix}.title": "标题", f"{prefix}.channels": ["sms"]}
    rule_again = looked_at(client, url, reach_now, **channels, **{kind: "branch_rule"})
    [card] = [card for card in rule_again.context["cards"] if card.name == "ask"]
    assert card.otherwise is not None
    assert [key for key, _label, is_chosen in card.otherwise.options if is_chosen] == ["wait"]
    saved = sent_by(rule_again.content.decode(), having="s.0.name")
    points_again = looked_at(client, url, rule_again, **{kind: "points"})
    fields = points_again.context["cards"][place].fields
    assert [field.text for field in fields] == ["many", "礼"]
    reach_again = looked_at(client, url, points_again, **{kind: "reach"}).context["cards"][place].fields
    by_name = {field.name.rpartition(".")[2]: field for field in reach_again}
    assert by_name["title"].text == "标题"
    assert [key for key, _label, is_chosen in by_name["channels"].options if is_chosen] == ["sms"]
    # Nothing of it is in the draft.
    client.post(url, saved)
    row.refresh_from_db()
    assert {name: row.draft[name] for name in rules_draft()} == rules_draft()


def test_so_does_what_was_typed_for_a_beginning(cast: Cast, client: Client) -> None:
    row = made(rules_draft())
    url = edit(row)
    birthday = looked_at(client, url, client.get(url), **{"t.kind": "birthday"})
    typed = {"t.p.days": "3", "t.p.at": "09:30"}
    daily = looked_at(client, url, birthday, **typed, **{"t.kind": "daily"})
    again = looked_at(client, url, daily, **{"t.kind": "birthday"})
    assert [field.text for field in again.context["begin"]["trigger_fields"]] == ["3", "09:30"]
    client.post(url, sent_by(daily.content.decode(), having="s.0.name"))
    row.refresh_from_db()
    assert row.draft["trigger"] == rules_draft()["trigger"]


def test_a_way_to_a_step_that_is_gone_does_not_come_back(cast: Cast, client: Client) -> None:
    share = {"kind": "branch_share", "with": {"percent": 50}, "next": "gift", "else": "wait"}
    row = made(definition({"ask": share, "gift": points(5, following="wait"), "wait": wait(1, "")}))
    url = edit(row)
    waiting = looked_at(client, url, client.get(url), **{"s.0.kind": "wait"})
    dropped = looked_at(client, url, waiting, deed="drop:wait")
    again = looked_at(client, url, dropped, **{"s.0.kind": "branch_share"})
    [card, _gift] = again.context["cards"]
    assert (card.kind, card.fields[0].text) == ("branch_share", "50")
    assert not any(is_chosen and key for key, _label, is_chosen in card.otherwise.options)
    assert again.context["faults"] == []


@pytest.mark.parametrize(
    "was",
    [
        "", "{", "[]", "null", "3", '{"kind": 3}', '{"kind": "points", "others": 3}', '{"kind": [], "others": {"reach": 3}}',
        '{"kind": "points", "others": {"reach": [{"title": {}, "text": [1], "channels": [{}]}, {}], "x": [{}, ""]}}',
        '{"kind": "points", "others": {"reach": [[], ""], "branch_rule": [{"rule": [3]}, null]}}', "[" * 100_000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["reach", "branch_rule", "points"])
def test_what_the_page_carried_may_be_anything(cast: Cast, client: Client, was: str, kind: str) -> None:
    row = made(definition({"a": points(5)}))
    page = client.get(edit(row))
    answer = looked_at(client, edit(row), page, **{"s.0.was": was, "s.0.kind": kind, "t.was": was})
    assert answer.context["cards"][0].kind == kind


def test_a_time_is_not_sent_beside_hours_and_comes_out_beside_days(cast: Cast, client: Client) -> None:
    step = {"kind": "wait", "with": {"amount": 3, "unit": "days", "at": "10:00"}, "next": "b"}
    row = made(definition({"a": step, "b": points(5)}))
    assert saved_again(client, row)["steps"]["a"] == step
    hours = saved_again(client, row, **{"s.0.p.unit": "hours"})["steps"]["a"]["with"]
    assert hours == {"amount": 3, "unit": "hours"}
    assert find_definition(row.draft)[1] == []
