"""A run of a campaign that is counted, what its members buy meanwhile, and what must be true of it in the end."""

import datetime as dt
from collections import Counter

from django.apps import apps

from campaigns import services
from campaigns.models import CampaignBook, CampaignMember, CampaignOutcome, CampaignRun, OutcomeTouch
from campaigns.services import outcome_passes
from core import clock
from tests.campaigns.outcome_kit import DAY, make_members, make_run, outcomes_of, put_in, sell, totals_of

# So many slices that somebody may be stopped between them.
SLICE_SIZE = 50
# A worker waits longer before it makes sums of a small run again.
SOONEST = dt.timedelta(seconds=1)


def make(count: int) -> None:
    """So many members, one in four of the control group; every second bought."""
    run = make_run()
    people = make_members(count)
    put_in(run, [pk for place, pk in enumerate(people) if place % 4])
    put_in(run, people[::4], letter="")
    _sell(people[::2])


def shop(every: int) -> None:
    """One in so many buys once more."""
    _sell(list(CampaignMember.objects.order_by("pk").values_list("member_id", flat=True))[::every])


def work() -> None:
    """What a worker does."""
    outcome_passes.SLICE_SIZE = SLICE_SIZE  # type: ignore[misc]
    outcome_passes._SOONEST = SOONEST  # type: ignore[misc]
    services.work_outcomes()


def check() -> None:
    """Everybody has one row, which says what she bought; the sums are those of the rows, and a count from scratch finds
    nothing else. Whoever was killed may have been looking at messages again."""
    services.work_outcomes(at=clock.now() + DAY / 24)
    run, book = CampaignRun.objects.get(), CampaignBook.objects.get()
    assert (book.doing, book.is_stale) == ("", False)
    assert not OutcomeTouch.objects.exists()
    rows = CampaignOutcome.objects.filter(run=run)
    places = CampaignMember.objects.filter(run=run)
    assert Counter(rows.values_list("member_id", "letter")) == Counter(
        places.values_list("member_id", "letter")
    )
    sales = apps.get_model("sales", "Sale").objects.filter(sold_at__gte=run.launched_at)
    bought = Counter(sales.values_list("member_id", flat=True))
    assert {row.member_id: row.order_count for row in rows if row.order_count} == bought
    followed = outcomes_of(run), totals_of(run)
    services.recount_run(run_id=run.pk)
    assert followed == (outcomes_of(run), totals_of(run))


def _sell(member_ids: list[int]) -> None:
    store = apps.get_model("guides", "Store").objects.earliest("pk")
    sell(member_ids, store.pk, at=clock.now() - DAY / 24)
