"""The job of campaigns that run: launches what is due, releases what waits, in few processes."""

from typing import Final

from campaigns.services.running.budget import settle_campaigns
from campaigns.services.running.following import follow_campaigns
from campaigns.services.running.launching import launch_due_campaigns
from campaigns.services.running.releasing import release_campaigns
from core.slots import slot

# First half of the advisory lock's key; nothing else uses it. Two, so that one that hangs stops nothing.
_WORKER_SLOT: Final = 7_316_002
_WORKERS: Final = 2


def work_campaigns() -> int:
    """Campaigns that are due are launched, members get what is theirs, and who waited in a stopped run waits no more; how many
    had their turn. Safe to run many times at once: at most two do it."""
    with slot(kind=_WORKER_SLOT, count=_WORKERS) as is_free:
        if not is_free:
            return 0
        follow_campaigns()
        settle_campaigns()
        launch_due_campaigns()
        return release_campaigns()
