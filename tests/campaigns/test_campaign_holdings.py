"""Campaigns' members when members are merged, parted, copied and erased."""

import datetime as dt

import pytest

from campaigns.models import Campaign, CampaignMember, CampaignRun, Segment
from campaigns.services.holdings_campaigns import CampaignHoldings
from core import clock
from core.models import StaffAccount
from members import services as member_services
from members.models import MemberMerge
from tests.cast import DIRECTOR, Cast

COUNTS = ("member_count", "control_count", "done_count", "refused_count")


def make_run() -> CampaignRun:
    """A run of a campaign of its own, with nobody in it."""
    at = clock.now()
    number = CampaignRun.objects.count() + 1
    segment = Segment.objects.create(name=f"名单{number}", kind="listed", created_at=at, changed_at=at)
    author = StaffAccount.objects.get_or_create(username="author")[0]
    campaign = Campaign.objects.create(
        name=f"活动{number}",
        kind="reach",
        segment=segment,
        author=author,
        created_at=at,
        changed_at=at,
        send_from=dt.time(10),
        send_until=dt.time(20),
    )
    return CampaignRun.objects.create(campaign=campaign, number=1, due_at=at, state="releasing")


def put(run: CampaignRun, **state_of: int) -> None:
    """Members of the run by state, with its numbers as the services keep them."""
    for state, member_id in state_of.items():
        letter = "" if state == "control" else "A"
        CampaignMember.objects.create(run=run, member_id=member_id, state=state, letter=letter)
    rows = CampaignMember.objects.filter(run=run)
    run.member_count = rows.count()
    run.control_count, run.done_count = (rows.filter(state=state).count() for state in ("control", "done"))
    run.save()


def counts(run: CampaignRun) -> tuple[int, ...]:
    run.refresh_from_db()
    return tuple(getattr(run, name) for name in COUNTS)


def states(run: CampaignRun) -> dict[int, str]:
    return dict(CampaignMember.objects.filter(run=run).values_list("member_id", "state"))


@pytest.mark.django_db
def test_one_person_is_in_a_run_once(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    both, only = make_run(), make_run()
    put(both, waiting=she, done=other)
    put(only, control=she)
    assert CampaignHoldings().preview(survivor_id=other, emptier_id=she)[0].outcome == "2"
    member_services.merge_members(first_id=she, second_id=other, survivor_id=other, actor=DIRECTOR)
    assert (states(both), states(only)) == ({other: "done"}, {other: "control"})
    assert (counts(both), counts(only)) == ((1, 0, 1, 0), (1, 1, 0, 0))
    member_services.undo_merge(merge_id=MemberMerge.objects.live().get().pk, actor=DIRECTOR)
    # She had what the run gave as the other: what waited for her does not go out any more.
    assert (states(both), states(only)) == ({other: "done", she: "stopped"}, {she: "control"})
    assert (counts(both), counts(only)) == ((2, 0, 1, 0), (1, 1, 0, 0))


@pytest.mark.django_db
def test_a_copy_names_her_campaigns_and_an_erasure_leaves_no_place(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    waits, done = make_run(), make_run()
    put(waits, waiting=she, done=other)
    put(done, done=she)
    assert [line["状态"] for line in CampaignHoldings().export(she)["营销活动"]] == ["待发放", "已发放"]
    member_services.erase_member(member_id=she, reason="own_wish", actor=DIRECTOR)
    assert (states(waits), states(done)) == ({other: "done"}, {})
    assert (counts(waits), counts(done)) == ((1, 0, 1, 0), (1, 0, 1, 0))


@pytest.mark.django_db
def test_whoever_of_the_two_had_her_turn_had_it_for_both(cast: Cast) -> None:
    """She waited as the survivor; what the run gave to her other row is hers now, and nothing comes a second time."""
    she, other = cast.xiaomei.id, cast.xiaoli.id
    both = make_run()
    put(both, done=she, waiting=other)
    given = CampaignMember.objects.get(run=both, member_id=she).pk
    member_services.merge_members(first_id=she, second_id=other, survivor_id=other, actor=DIRECTOR)
    assert (states(both), counts(both)) == ({other: "done"}, (1, 0, 1, 0))
    assert CampaignMember.objects.get(run=both).pk == given
    member_services.undo_merge(merge_id=MemberMerge.objects.live().get().pk, actor=DIRECTOR)
    assert (states(both), counts(both)) == ({she: "done", other: "stopped"}, (2, 0, 1, 0))
