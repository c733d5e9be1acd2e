"""How fast a run goes and when it is done: what it did in the last minute, not what its queue took at once."""

import datetime as dt

import pytest

from campaigns.contracts.runs import RunCard
from campaigns.models import CampaignRun, Reach
from campaigns.selectors.runs import run_card
from campaigns.services.running import lead, release_batch
from core import clock
from tests.campaigns.run_kit import launch, listed, make_campaign
from tests.coupons.kit import make_members

pytestmark = pytest.mark.django_db
QUEUE = 40


def card_at(run: CampaignRun, at: dt.datetime) -> RunCard:
    run.refresh_from_db()
    return run_card(run, at=at)


class Sending:
    """A run whose messages leave one by one: room for the next member is there when one has left."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
        monkeypatch.setattr(lead, "MOST_QUEUED", QUEUE)
        self.campaign = make_campaign(listed(make_members(count)))
        self.run = launch(self.campaign)
        self.now = clock.now()

    def release(self) -> int:
        return release_batch(campaign_id=self.campaign.pk, at=self.now).count

    def go_on(self, *, seconds: int, every: int) -> None:
        """One message leaves every so many seconds, and the next member has her turn."""
        for _each in range(0, seconds, every):
            self.now += dt.timedelta(seconds=every)
            first = Reach.objects.filter(state="queued").order_by("pk")[:1]
            Reach.objects.filter(pk__in=first.values("pk")).update(
                state="sent", channel="inbox", sent_at=self.now, finished_at=self.now
            )
            assert self.release() == 1

    def card(self) -> RunCard:
        return card_at(self.run, self.now)


def test_what_the_queue_took_at_once_is_no_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    sending = Sending(monkeypatch, 200)
    assert not sending.card().has_just_begun
    assert sending.release() == QUEUE
    sending.now += dt.timedelta(seconds=3)
    just_begun = sending.card()
    assert (just_begun.rate_per_min, just_begun.finishes_at, just_begun.has_just_begun) == (None, None, True)
    for seconds in (40, 60, 200):
        sending.go_on(seconds=seconds, every=5)
        card = sending.card()
        assert card.rate_per_min == 12, f"{seconds} s later"
        assert card.finishes_at is not None
        needed = (card.finishes_at - sending.now).total_seconds()
        assert round(needed) == 5 * card.waiting_count


def test_the_rate_follows_within_a_minute_or_so_when_sending_slows_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sending = Sending(monkeypatch, 200)
    sending.release()
    sending.go_on(seconds=240, every=5)
    assert sending.card().rate_per_min == 12
    sending.go_on(seconds=80, every=20)
    assert sending.card().rate_per_min == 3


def test_a_run_that_stands_still_has_no_rate_and_after_it_a_new_burst_is_none_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sending = Sending(monkeypatch, 300)
    sending.release()
    sending.go_on(seconds=120, every=5)
    sending.now += dt.timedelta(minutes=3)
    standing = sending.card()
    assert (standing.rate_per_min, standing.has_just_begun) == (None, False)
    # The queue ran empty meanwhile, as it does while a campaign is paused for the night.
    Reach.objects.filter(state="queued").update(
        state="sent", channel="inbox", sent_at=sending.now, finished_at=sending.now
    )
    assert sending.release() == QUEUE
    again = sending.card()
    assert (again.rate_per_min, again.has_just_begun) == (None, True)
    sending.go_on(seconds=60, every=4)
    assert sending.card().rate_per_min == 15
