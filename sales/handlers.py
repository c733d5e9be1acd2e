"""What `sales` does when something was told. All may be delivered twice."""

from sales import services
from sales.events import IntakeQueued, MonthWasClosed


def on_month_was_closed(event: MonthWasClosed) -> None:
    """The boards of the month, and of what it completes, are frozen."""
    services.freeze_boards(close_id=event.close_id)


def on_intake_queued(event: IntakeQueued) -> None:
    """Work on the file; the job work_intakes finds it if this is lost."""
    services.work_intake(event.job_id)
