"""Claiming and issuing: every refusal, the same request twice, and the limits that hold."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection

from core import clock, codes
from core.actor import Actor
from core.errors import Refusal
from coupons import selectors, services
from coupons.models import Coupon, CouponBatchShard, GuideAllowance
from coupons.services.sold_out import is_sold_out
from members.models import Member
from tests.cast import Cast
from tests.coupons.kit import (
    BOSS,
    check_counters,
    claim,
    key,
    later,
    make_batch,
    make_members,
    make_shop,
    make_template,
    order,
)
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def test_a_claimed_coupon_is_hers_with_a_code_that_checks_itself_and_a_span() -> None:
    member = make_members(1)[0]
    at = clock.now()
    issued = claim(make_batch(), member, at=at)
    coupon = Coupon.objects.get(pk=issued.id)
    assert (coupon.member_id, coupon.state, coupon.door, coupon.ordinal) == (member, "issued", "claim", 1)
    assert codes.is_code(issued.code, 16)
    assert (issued.valid_from, issued.valid_until) == (
        at,
        clock.day_bounds(clock.business_day(at) + dt.timedelta(6))[1],
    )


def test_the_same_request_gets_the_first_answer_also_when_all_is_over() -> None:
    first, other = make_members(2)
    batch = make_batch(1, member_limit=1)
    issued = claim(batch, first, "again")
    again = claim(batch, first, "again")
    assert (again.id, again.code, again.is_new, issued.is_new) == (issued.id, issued.code, False, True)
    assert refused(claim, batch, other) == "coupons.batch_sold_out"
    assert is_sold_out(batch)
    assert claim(batch, first, "again").id == issued.id
    services.end_batch(batch_id=batch, actor=BOSS)
    assert claim(batch, first, "again").id == issued.id
    assert Coupon.objects.filter(batch_id=batch).count() == 1


def test_two_members_may_use_the_same_key() -> None:
    first, other = make_members(2)
    batch = make_batch()
    assert claim(batch, first, "k").id != claim(batch, other, "k").id


@pytest.mark.parametrize("request_key", ["", "a b", "ключ", "k" * 81, "k\0", "k@"])
def test_an_unusable_key_is_refused(request_key: str) -> None:
    member, batch = make_members(1)[0], make_batch()
    with pytest.raises(Refusal) as caught:
        services.claim_coupon(batch_id=batch, member_id=member, request_key=request_key, actor=BOSS)
    assert caught.value.code == "coupons.request_key_unusable"


def test_each_reason_has_its_own_code() -> None:
    member = make_members(1)[0]
    assert refused(claim, 987_654, member) == "coupons.no_such_batch"
    assert refused(claim, make_batch(), 987_654) == "members.no_such_member"
    gone = make_members(1)[0]
    Member.objects.filter(pk=gone).update(stage="erased", erased_at=clock.now())
    assert refused(claim, make_batch(), gone) == "members.no_such_member"
    assert refused(claim, make_batch(is_open=False), member) == "coupons.batch_not_open"
    assert refused(claim, make_batch(opens_at=later(hours=1)), member) == "coupons.batch_not_started"
    assert refused(claim, make_batch(closes_at=later(hours=-1)), member) == "coupons.batch_ended"
    assert refused(claim, make_batch(doors=("guide",)), member) == "coupons.wrong_door"
    paused = make_batch()
    services.pause_batch(batch_id=paused, actor=BOSS)
    assert refused(claim, paused, member) == "coupons.batch_paused"
    services.open_batch(batch_id=paused, actor=BOSS)
    assert claim(paused, member).is_new
    ended = make_batch()
    services.end_batch(batch_id=ended, actor=BOSS)
    assert refused(claim, ended, member) == "coupons.batch_ended"


def test_a_retired_template_issues_nothing_and_its_coupons_stay_good() -> None:
    member, template = make_members(1)[0], make_template()
    batch = make_batch(template_id=template)
    issued = claim(batch, member)
    services.retire_template(template_id=template, actor=BOSS)
    assert refused(claim, batch, member) == "coupons.batch_ended"
    assert selectors.get_coupon(issued.id).state == "issued"
    card = services.redeem_coupon(code=issued.code, order=order(make_shop()), request_id=key(), actor=BOSS)
    assert card.coupon_state == "redeemed"
    check_counters(batch)


def test_a_fixed_span_that_is_over_ends_the_batch() -> None:
    template = make_template(
        validity="fixed", valid_days=None, valid_from=later(days=-3), valid_until=later(hours=1)
    )
    member, batch = make_members(1)[0], make_batch(template_id=template)
    assert claim(batch, member).valid_until == selectors.get_template(template).terms.valid_until
    assert refused(claim, batch, member, at=later(hours=2)) == "coupons.batch_ended"


def test_a_template_for_tiers_asks_for_her_tier() -> None:
    member, batch = make_members(1)[0], make_batch(template_id=make_template(tier_ids=(3, 4)))
    assert refused(claim, batch, member) == "coupons.wrong_tier"
    assert refused(claim, batch, member, tier_id=1) == "coupons.wrong_tier"
    assert claim(batch, member, tier_id=4).is_new


def test_her_limits_hold_in_total_and_per_shanghai_day() -> None:
    member, batch = make_members(1)[0], make_batch(member_limit=3, member_daily_limit=2)
    night = clock.day_bounds(clock.business_day(clock.now()))[1]
    before, after = night - dt.timedelta(seconds=1), night
    claim(batch, member, at=before)
    claim(batch, member, at=before)
    assert refused(claim, batch, member, at=before) == "coupons.over_daily_limit"
    claim(batch, member, at=after)
    assert refused(claim, batch, member, at=after) == "coupons.over_member_limit"


def test_the_budget_reserves_the_worst_case_of_each_coupon() -> None:
    members, batch = make_members(4), make_batch(100, budget_fen=9_500)
    for member in members[:3]:
        claim(batch, member)
    assert refused(claim, batch, members[3]) == "coupons.budget_spent"
    check_counters(batch)
    services.extend_budget(batch_id=batch, more_fen=2_500, actor=BOSS)
    claim(batch, members[3])
    check_counters(batch)


def test_a_voided_coupon_gives_its_part_of_the_budget_back_but_not_the_quota() -> None:
    members, batch = make_members(3), make_batch(2, budget_fen=3_000)
    first = claim(batch, members[0])
    assert refused(claim, batch, members[1]) == "coupons.budget_spent"
    services.void_coupon(coupon_id=first.id, reason="发错", actor=BOSS)
    claim(batch, members[1])
    assert refused(claim, batch, members[2]) == "coupons.batch_sold_out"
    check_counters(batch)


def test_more_quota_sells_at_once_where_it_was_extended() -> None:
    members, batch = make_members(3), make_batch(1)
    claim(batch, members[0])
    assert refused(claim, batch, members[1]) == "coupons.batch_sold_out"
    services.extend_quota(batch_id=batch, more=2, actor=BOSS)
    claim(batch, members[1])
    claim(batch, members[2])
    check_counters(batch)


def test_quota_and_budget_are_held_by_the_database() -> None:
    from django.db import IntegrityError, transaction

    batch = make_batch(1)
    for values in ({"issued_count": 2}, {"reserved_fen": -1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            CouponBatchShard.objects.filter(batch_id=batch, shard=0).update(**values)


def test_a_guides_issue_counts_in_her_quota_of_the_period(cast: Cast) -> None:
    members, batch = make_members(3), make_batch(guide_quota=2, guide_quota_period="day")

    def issue(member: int, guide: int, **values: Any) -> Any:
        return services.issue_coupon(
            batch_id=batch,
            member_id=member,
            request_key=key(),
            door="guide",
            guide_id=guide,
            store_id=cast.store.id,
            actor=Actor.guide(guide, "李娜"),
            **values,
        )

    issued = issue(members[0], cast.lina.id)
    issue(members[1], cast.lina.id)
    assert refused(issue, members[2], cast.lina.id) == "coupons.guide_quota_spent"
    issue(members[2], cast.wangfang.id)
    issue(members[2], cast.lina.id, at=later(days=1))
    coupon = Coupon.objects.get(pk=issued.id)
    assert (coupon.issued_by_guide_id, coupon.issued_store_id, coupon.door) == (
        cast.lina.id,
        cast.store.id,
        "guide",
    )
    quota = selectors.get_guide_quota(batch_id=batch, guide_id=cast.lina.id)
    assert (quota.allowed_count, quota.used_count, quota.remaining_count) == (2, 2, 0)
    assert GuideAllowance.objects.count() == 3


@pytest.mark.parametrize(
    ("period", "last", "next_one"),
    [
        ("day", "2026-12-31T15:59:59.999999Z", "2026-12-31T16:00:00Z"),
        ("week", "2027-01-03T15:59:59.999999Z", "2027-01-03T16:00:00Z"),  # from ISO week 53 to week 1
        ("month", "2028-02-29T15:59:59.999999Z", "2028-02-29T16:00:00Z"),
    ],
)
def test_a_guides_quota_begins_anew_at_shanghais_midnight(
    cast: Cast, period: Any, last: str, next_one: str
) -> None:
    members, batch = make_members(3), make_batch(guide_quota=1, guide_quota_period=period)

    def issue(member: int, moment: str) -> Any:
        return services.issue_coupon(
            batch_id=batch, member_id=member, request_key=key(), door="guide", guide_id=cast.lina.id, actor=BOSS,
            at=dt.datetime.fromisoformat(moment),
        )  # fmt: skip

    issue(members[0], last)
    assert refused(issue, members[1], last) == "coupons.guide_quota_spent"
    issue(members[1], next_one)
    assert refused(issue, members[2], next_one) == "coupons.guide_quota_spent"


def test_a_sold_out_batch_costs_the_guide_nothing(cast: Cast) -> None:
    member, batch = make_members(1)[0], make_batch(1, guide_quota=5)
    claim(batch, member)
    code = refused(
        services.issue_coupon,
        batch_id=batch, member_id=member, request_key=key(), door="guide", guide_id=cast.lina.id, actor=BOSS,
    )  # fmt: skip
    assert code == "coupons.batch_sold_out"
    assert selectors.get_guide_quota(batch_id=batch, guide_id=cast.lina.id).used_count == 0


@pytest.mark.parametrize(("door", "has_guide"), [("guide", False), ("system", True), ("face_to_face", False)])
def test_a_guides_door_names_the_guide_and_no_other_does(cast: Cast, door: Any, has_guide: bool) -> None:
    member, batch = make_members(1)[0], make_batch()
    code = refused(
        services.issue_coupon,
        batch_id=batch, member_id=member, request_key=key(), door=door,
        guide_id=cast.lina.id if has_guide else None, actor=BOSS,
    )  # fmt: skip
    assert code == "coupons.guide_missing"


def test_who_was_merged_gets_the_coupon_as_who_she_is_and_her_repeat_finds_it() -> None:
    emptier, survivor = make_members(2)
    batch = make_batch(member_limit=1)
    Member.objects.filter(pk=emptier).update(merged_into_id=survivor)
    issued = claim(batch, emptier, "k")
    assert Coupon.objects.get(pk=issued.id).member_id == survivor
    assert claim(batch, emptier, "k").id == issued.id
    assert refused(claim, batch, survivor) == "coupons.over_member_limit"


def test_the_claim_centre_says_why_not() -> None:
    member, other = make_members(2)
    template = make_template()
    names: dict[str, str] = {}

    def batch(name: str, quota: int = 5, **values: Any) -> int:
        return make_batch(quota, template_id=template, name=name, **values)

    batch("free")
    mine = batch("mine", member_limit=1)
    claim(mine, member)
    gone = batch("gone", 1)
    claim(gone, other)
    batch("soon", opens_at=later(hours=1))
    batch("guides", doors=("guide",))
    batch("over", closes_at=later(hours=-1))
    poor = batch("poor", budget_fen=3_000)
    claim(poor, other)
    paused = batch("paused")
    services.pause_batch(batch_id=paused, actor=BOSS)
    for line in selectors.list_claimable_batches(member):
        names[line.batch.terms.name] = line.why_not
    assert names == {
        "free": "",
        "mine": "coupons.over_member_limit",
        "gone": "coupons.batch_sold_out",
        "soon": "coupons.batch_not_started",
        "poor": "coupons.budget_spent",
        "paused": "coupons.batch_paused",
    }


def test_the_claim_centre_takes_few_queries_however_many_batches(django_assert_max_num_queries: Any) -> None:
    member, template = make_members(1)[0], make_template()
    for _ in range(12):
        make_batch(template_id=template)
    with django_assert_max_num_queries(4):
        assert len(selectors.list_claimable_batches(member)) == 12


@pytest.mark.parametrize("validity", ["from_today", "from_tomorrow", "month_end"])
@pytest.mark.parametrize(
    "moment", ["2026-01-31T15:59:59Z", "2026-01-31T16:00:00Z", "2028-02-28T23:00:00Z", "2026-12-31T20:00:00Z"]
)
def test_the_database_and_the_preview_agree_on_the_span(validity: Any, moment: str) -> None:
    at = dt.datetime.fromisoformat(moment)
    template = make_template(validity=validity, valid_days=None if validity == "month_end" else 3)
    issued = claim(make_batch(template_id=template), make_members(1)[0], at=at)
    assert (issued.valid_from, issued.valid_until) == selectors.span_of(
        selectors.get_template(template).terms, at
    )


def test_codes_made_in_the_database_check_themselves() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT coupons_code_of(uuid_send(gen_random_uuid())) FROM generate_series(1, 500)")
        made = [code for (code,) in cursor.fetchall()]
    assert len(set(made)) == 500
    assert all(codes.is_code(code, 16) for code in made)
    assert {len(set(column)) >= 20 for column in zip(*made, strict=True)} == {True}


def test_a_claim_reads_no_other_coupons_of_the_batch_also_where_nothing_is_known_of_the_table() -> None:
    """Plans that a connection made while the table had no statistics read the whole batch for each claim."""
    batch = make_batch(quota=400)
    with connection.cursor() as cursor:
        # As if just created: nothing analysed, and no plan kept from a better day.
        cursor.execute(
            "UPDATE pg_class SET reltuples = 0, relpages = 0 WHERE oid = 'coupons_coupon'::regclass"
        )
        cursor.execute("DELETE FROM pg_statistic WHERE starelid = 'coupons_coupon'::regclass")
        cursor.execute("DISCARD PLANS")
        for member in make_members(40):
            claim(batch, member)
        cursor.execute("SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'coupons_coupon'")
        [scanned] = cursor.fetchone()
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_stat_get_xact_tuples_returned(indexrelid) FROM pg_index "
            "WHERE indrelid = 'coupons_coupon'::regclass"
        )
        read = {name: count for name, count in cursor.fetchall() if count}
    # The batch for each claim would be 20 rows on average; what the making of batch and members reads is in it too.
    assert scanned + sum(read.values()) <= 4 * 40
