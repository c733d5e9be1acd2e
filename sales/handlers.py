"""What `sales` does when something was told. All may be delivered twice."""

from core.actor import Actor
from sales import services
from sales.events import DeskJobStarted, IntakeQueued, MonthWasClosed


def on_month_was_closed(event: MonthWasClosed) -> None:
    """The boards of the month, and of what it completes, are frozen."""
    services.freeze_boards(close_id=event.close_id)


def on_intake_queued(event: IntakeQueued) -> None:
    """Work on the file; the job work_intakes finds it if this is lost."""
    services.work_intake(event.job_id)


def on_desk_job_started(event: DeskJobStarted) -> None:
    """A worker goes through what a person started at a desk."""
    services.work_desk_job(job_id=event.job_id, actor=Actor.system("work_desk_jobs"))
