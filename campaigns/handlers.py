"""What `campaigns` does when something was told. All may be delivered twice."""

from campaigns import services
from campaigns.events import ReachesQueued


def on_reaches_queued(event: ReachesQueued) -> None:
    """Send what is due. Lost, the timetable finds it."""
    services.send_due_reaches()
