"""Acts: read strictly, done once for each key, refused to one member without the others."""

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from campaigns.contracts.acts import ActOutcome, ActTarget
from campaigns.errors import ActUnfit
from campaigns.models import Reach, WebhookDelivery
from campaigns.selectors.acts import act_of, describe_act, find_act, read_act, write_act
from campaigns.services import create_endpoint
from campaigns.services.acts import perform
from core import clock
from core.actor import Actor
from coupons import services as coupon_services
from coupons.models import Coupon, CouponBatch
from guides.models import FollowUp
from members import selectors as member_selectors
from members import services as member_services
from members.models import Member, MemberTag, PointsEntry
from tests.campaigns.test_segment_holdings import living
from tests.campaigns.test_segment_tags import follow, make_tag
from tests.cast import Cast
from tests.coupons import kit as coupon_kit
from tests.members import privacy_kit

BOSS = Actor.system("test")
POINTS = {"do": "points", "with": {"points": 100, "reason": "生日礼"}}
REACH = {
    "do": "reach",
    "with": {
        "title": "{member}，生日快乐",
        "text": "您有 {points} 积分，{guide}在{store}等您",
        "topic": "tier_up",
    },
}


def faults_of(value: Any) -> list[tuple[str, str]]:
    with pytest.raises(ActUnfit) as refused:
        read_act(value)
    return [(fault["path"], fault["code"]) for fault in refused.value.details["faults"]]


def run(value: Any, targets: list[ActTarget]) -> list[ActOutcome]:
    with transaction.atomic():
        return perform(act=read_act(value), targets=targets, actor=BOSS, at=clock.now())


def targets_of(*member_ids: int, **values: str) -> list[ActTarget]:
    return [ActTarget(member_id, f"t:{member_id}", values) for member_id in member_ids]


@pytest.mark.django_db
def test_all_faults_of_an_act_are_told_at_once() -> None:
    assert faults_of([]) == [("", "not_an_object")]
    assert faults_of({"do": "bless"}) == [("/do", "unknown_act")]
    assert faults_of({"do": ["reach"]}) == [("/do", "unknown_act")]
    assert faults_of({"do": "points", "with": 3}) == [("/with", "not_an_object")]
    assert faults_of({"do": "points", "to": 1, "with": {"points": "100", "a/b": 2}}) == [
        ("/to", "unknown_field"),
        ("/with/a~1b", "unknown_field"),
        ("/with/points", "not_a_number"),
        ("/with/reason", "missing_field"),
    ]
    assert faults_of(
        {"do": "reach", "with": {"title": "一\n二", "text": "给{nobody}", "page": "//x", "topic": "request_step", "channels": []}}
    ) == [
        ("/with/title", "line_unusable"),
        ("/with/text", "unknown_placeholder"),
        ("/with/page", "page_unusable"),
        ("/with/topic", "unknown_choice"),
        ("/with/channels", "empty_list"),
    ]  # fmt: skip
    assert faults_of({"do": "coupon", "with": {"batch": "none"}}) == [("/with/batch", "unknown_row")]
    assert faults_of({"do": "tag", "with": {"tag": True}}) == [("/with/tag", "not_a_number")]
    assert faults_of({"do": "webhook", "with": {"endpoint": "crm"}}) == [("/with/endpoint", "unknown_row")]


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    _ANY
    | st.fixed_dictionaries(
        {"do": st.sampled_from(["reach", "points", "follow_up"]), "with": _ANY}, optional={"x": _ANY}
    )
    | st.fixed_dictionaries(
        {
            "do": st.just("follow_up"),
            "with": st.fixed_dictionaries({"title": st.text(), "script": st.text(), "days": st.integers()}),
        }
    )
)
def test_whatever_is_read_is_written_back_the_same_or_refused(value: Any) -> None:
    act, faults = find_act(value)
    assert (act is None) == bool(faults)
    assert all(fault.words for fault in faults)
    if act is not None:
        assert read_act(json.loads(json.dumps(write_act(act)))) == act == act_of(write_act(act))
        assert describe_act(act)


def test_points_come_once_for_a_key_and_many_by_few_statements(cast: Cast) -> None:
    ids = coupon_kit.make_members(40)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        first = run(POINTS, targets_of(*ids))
    assert len(queries) < 15
    assert {outcome.state for outcome in first} == {"done"}
    assert run(POINTS, targets_of(*ids)) == first
    assert {member_selectors.get_points_summary(member_id).balance for member_id in ids} == {100}
    assert PointsEntry.objects.count() == 40


def test_who_owes_points_pays_first_and_one_key_means_one_amount(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    member_services.credit_points(member_id=she, points=10, source_key="sale:1", actor=BOSS)
    member_services.debit_points(member_id=she, points=10, source_key="use:1", actor=BOSS)
    member_services.reverse_points_entry(
        member_id=she, reversed_key="sale:1", source_key="back:1", actor=BOSS
    )
    more = {"do": "points", "with": {"points": 50, "reason": "补"}}
    two = [ActTarget(she, "k1"), ActTarget(other, "k2"), ActTarget(she, "k3"), ActTarget(she, "k1")]
    told = run(POINTS, two)
    assert [one.state for one in told] == ["done"] * 4
    assert told[0] == told[3]
    assert member_selectors.get_points_summary(other).balance == 100
    assert [one.code for one in run(more, two)] == ["members.source_key_taken"] * 4


def test_coupons_end_with_the_quota_and_a_repeat_gets_the_first(cast: Cast) -> None:
    ids = coupon_kit.make_members(6)
    batch_id = coupon_kit.make_batch(4, member_limit=1)
    act = {"do": "coupon", "with": {"batch": CouponBatch.objects.get(pk=batch_id).public_id}}
    first = run(act, targets_of(*ids))
    assert [one.state for one in first] == ["done"] * 4 + ["refused"] * 2
    assert {one.code for one in first[4:]} == {"coupons.batch_sold_out"}
    assert run(act, targets_of(*ids))[:4] == first[:4]
    coupon_services.extend_quota(batch_id=batch_id, more=3, actor=BOSS)
    assert [one.state for one in run(act, targets_of(*ids))] == ["done"] * 6
    assert run(act, [ActTarget(ids[0], "again")])[0].code == "coupons.over_member_limit"
    coupon_kit.check_counters(batch_id)
    assert Coupon.objects.filter(batch_id=batch_id).count() == 6


def test_a_paused_batch_is_later_and_an_ended_one_refused(cast: Cast) -> None:
    batch_id = coupon_kit.make_batch(4)
    act = {"do": "coupon", "with": {"batch": CouponBatch.objects.get(pk=batch_id).public_id}}
    coupon_services.pause_batch(batch_id=batch_id, actor=BOSS)
    assert run(act, targets_of(cast.xiaomei.id)) == [ActOutcome("later", "coupons.batch_paused")]
    coupon_services.end_batch(batch_id=batch_id, actor=BOSS)
    assert run(act, targets_of(cast.xiaomei.id)) == [ActOutcome("refused", "coupons.batch_ended")]


def test_a_message_says_who_she_is_and_is_queued_once(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    run(POINTS, targets_of(she))
    first = run(REACH, targets_of(she, other))
    assert run(REACH, targets_of(she, other)) == first
    words = [json.loads(row.content) for row in Reach.objects.order_by("member_id")]
    assert [(one["title"], one["text"]) for one in words] == [
        ("小美，生日快乐", "您有 100 积分，李娜在南京东路店等您"),
        ("小丽，生日快乐", "您有 0 积分，您的导购在门店等您"),
    ]


def test_who_said_no_is_left_in_peace_and_who_is_gone_is_told_apart(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    privacy_kit.consent_texts()
    member_services.agree_consent(
        member_id=she, kind="marketing", version=1, door="mini_program", actor=Actor.member(she)
    )
    member_services.withdraw_consent(
        member_id=she, kind="marketing", door="mini_program", actor=Actor.member(she)
    )
    told = run(REACH, [*targets_of(she, other), ActTarget(10**9, "nobody")])
    assert [(one.state, one.code) for one in told] == [
        ("refused", "campaigns.act_no_consent"),
        ("done", ""),
        ("refused", "campaigns.act_member_gone"),
    ]
    assert list(Reach.objects.values_list("member_id", flat=True)) == [other]


def test_a_guide_is_asked_once_and_who_has_none_is_refused(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    act = {"do": "follow_up", "with": {"title": "回访{member}", "script": "您好{member}", "days": 2}}
    for _time in range(2):
        told = run(act, targets_of(she, other))
        assert [(one.state, one.code) for one in told] == [
            ("done", ""),
            ("refused", "campaigns.act_no_guide"),
        ]
    task = FollowUp.objects.get()
    assert (task.title, task.script, task.guide_id) == ("回访小美", "您好小美", cast.lina.id)


def test_a_tag_is_given_and_taken_off(cast: Cast) -> None:
    group = member_services.create_tag_group(name="生命周期", actor=BOSS)
    tag = member_services.create_tag(group_id=group.id, name="沉睡", actor=BOSS)
    act = {"do": "tag", "with": {"tag": tag.id, "days": 3}}
    assert run(act, targets_of(cast.xiaomei.id, cast.xiaoli.id))[0].ref == f"tag:{tag.id}"
    assert MemberTag.objects.filter(tag_id=tag.id, removed_at=None).count() == 2
    run({"do": "tag", "with": {"tag": tag.id, "how": "remove"}}, targets_of(cast.xiaomei.id))
    assert MemberTag.objects.filter(tag_id=tag.id, removed_at=None).count() == 1
    kept = act_of(act)
    member_services.retire_tag(tag_id=tag.id, actor=BOSS)
    with transaction.atomic():
        told = perform(act=kept, targets=targets_of(cast.xiaomei.id), actor=BOSS, at=clock.now())
    assert told == [ActOutcome("refused", "campaigns.act_thing_gone")]


@pytest.mark.django_db
def test_a_tag_that_follows_a_segment_is_not_offered_and_an_older_act_is_refused(cast: Cast) -> None:
    tag_id = make_tag("沉睡")
    older = read_act({"do": "tag", "with": {"tag": tag_id}})
    follow(tag_id, living())
    assert faults_of({"do": "tag", "with": {"tag": tag_id}}) == [("/with/tag", "unknown_row")]
    with transaction.atomic():
        [outcome] = perform(act=older, targets=targets_of(cast.xiaomei.id), actor=BOSS, at=clock.now())
    assert outcome.code == "campaigns.act_thing_gone"


def test_a_merged_member_is_the_one_she_lives_on_as(cast: Cast) -> None:
    member_services.merge_members(
        first_id=cast.xiaomei.id, second_id=cast.xiaoli.id, survivor_id=cast.xiaomei.id, actor=BOSS
    )
    told = run(POINTS, targets_of(cast.xiaoli.id))
    assert told[0].state == "done"
    assert member_selectors.get_points_summary(cast.xiaomei.id).balance == 100


def test_a_telling_is_queued_once(cast: Cast) -> None:
    create_endpoint(code="crm", name="CRM", url="https://crm.example.com/hooks", actor=BOSS)
    act = {"do": "webhook", "with": {"endpoint": "crm"}}
    first = run(act, targets_of(cast.xiaomei.id, day="2026-12-01"))
    assert run(act, targets_of(cast.xiaomei.id)) == first
    row = WebhookDelivery.objects.get()
    told = json.loads(row.content)
    assert told["member"] == Member.objects.get(pk=cast.xiaomei.id).public_id
    assert (told["id"], told["values"]) == (f"t:{cast.xiaomei.id}", {"day": "2026-12-01"})


@pytest.mark.django_db
def test_keys_are_checked_and_a_transaction_is_needed(cast: Cast) -> None:
    with pytest.raises(ValueError, match="unusable key"):
        run(POINTS, [ActTarget(cast.xiaomei.id, "空 格")])
    with pytest.raises(ValueError, match="at most"):
        run(POINTS, targets_of(*range(1, 1_003)))
