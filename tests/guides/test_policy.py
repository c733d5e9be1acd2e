"""The binding policy: pure decisions, and the trial of a policy on past scans."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.actor import Actor
from guides import selectors, services
from guides.models import Binding, ChannelScan
from guides.services.policy import FIRST_WINS, Existing, Terms, choose_terms, decide
from tests.cast import Cast

STAFF = Actor.staff(1, "总部")
BOUND = dt.datetime(2026, 11, 1, 4, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("days", "after", "verdict", "reason"),
    [
        (None, 3000 * DAY, "keep", "first_wins"),
        (0, dt.timedelta(0), "rebind", "last_scan_wins"),
        (30, 30 * DAY - dt.timedelta(seconds=1), "keep", "protected"),
        (30, 30 * DAY, "rebind", "protection_over"),
        (0, -dt.timedelta(seconds=1), "keep", "older_scan"),
    ],
)
def test_the_terms_decide(days: int | None, after: dt.timedelta, verdict: str, reason: str) -> None:
    decision = decide(Existing(1, True, BOUND), incoming_guide_id=2, terms=Terms(days), at=BOUND + after)
    assert (decision.verdict, decision.reason) == (verdict, reason)


@given(
    days=st.none() | st.integers(0, 400),
    after=st.integers(-(10**7), 10**8),
    incoming=st.none() | st.integers(1, 3),
)
def test_the_same_guide_always_keeps_and_a_left_guide_always_loses(
    days: int | None, after: int, incoming: int | None
) -> None:
    at = BOUND + dt.timedelta(seconds=after)
    assert decide(Existing(1, False, BOUND), incoming_guide_id=1, terms=Terms(days), at=at).verdict == "keep"
    if incoming != 1:
        assert (
            decide(Existing(1, False, BOUND), incoming_guide_id=incoming, terms=Terms(days), at=at).reason
            == "guide_left"
        )


@given(days=st.integers(0, 400), after=st.integers(0, 10**8))
def test_more_protection_never_takes_her_away_sooner(days: int, after: int) -> None:
    at = BOUND + dt.timedelta(seconds=after)
    verdicts = [
        decide(Existing(1, True, BOUND), incoming_guide_id=2, terms=Terms(more), at=at).verdict
        for more in (days, days + 1, None)
    ]
    assert verdicts == sorted(verdicts, key=lambda verdict: verdict == "keep")


def test_the_deepest_region_of_her_store_rules() -> None:
    policies = [Terms(None, None), Terms(30, 1), Terms(0, 7), Terms(90, 8)]
    assert choose_terms(policies, region_path="/1/7/12/").protected_days == 0
    assert choose_terms(policies, region_path="/1/").protected_days == 30
    assert choose_terms(policies, region_path="/2/").protected_days is None
    assert choose_terms([Terms(5, 17)], region_path="/1/7/") == FIRST_WINS
    assert choose_terms([], region_path="/1/") == FIRST_WINS


@pytest.mark.django_db
def test_a_trial_says_how_many_members_a_policy_would_move_and_writes_nothing(cast: Cast) -> None:
    since = Binding.objects.get(member_id=cast.xiaomei.id).bound_at
    codes = {guide.name: selectors.get_guide_code(guide.id).code for guide in (cast.lina, cast.wangfang)}
    scans = [
        (cast.xiaomei, "王芳", 1),  # kept by 李娜 in truth
        (cast.xiaomei, "李娜", 2),
        (cast.xiaoli, "王芳", 3),  # free: no change of guide
        (cast.xiaoli, "王芳", 4),
    ]
    for member, name, hours in scans:
        services.resolve_scan(
            member_id=member.id,
            scene=codes[name],
            is_new_follower=False,
            request_key=f"k{hours}",
            actor=STAFF,
            at=since + dt.timedelta(hours=hours),
        )
    before = (Binding.objects.count(), ChannelScan.objects.count())

    def trial(days: int | None, region_id: int | None) -> tuple[int, int, int, int]:
        result = services.dry_run_policy(protected_days=days, region_id=region_id, since=since)
        return (
            result.scan_count,
            result.member_count,
            result.changed_member_count,
            result.really_changed_member_count,
        )

    assert trial(0, None) == (4, 2, 1, 0)
    assert trial(None, None) == (4, 2, 0, 0)
    assert trial(1, None) == (4, 2, 0, 0)
    assert trial(0, cast.east.id) == (4, 2, 1, 0)
    assert trial(0, cast.south.id) == (0, 0, 0, 0)
    assert (Binding.objects.count(), ChannelScan.objects.count()) == before
