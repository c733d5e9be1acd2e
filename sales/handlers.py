"""What `sales` does when something was told. All may be delivered twice."""

from core.actor import Actor
from sales import services
from sales.events import (
    CommissionBegun,
    DeskJobStarted,
    IntakeQueued,
    MonthWasClosed,
    ReturnRecorded,
    SaleCorrected,
    SaleRecorded,
)


def on_sale_recorded(event: SaleRecorded) -> None:
    """Its member hears of it, and has what it earned. A larger batch announces nothing: work_purchase_care finds it."""
    if event.member_id:
        services.care_for_sales(sale_ids=[event.sale_id], actor=Actor.system("on_sale_recorded"))


def on_sale_corrected(event: SaleCorrected) -> None:
    """What only the corrected order earns, or whom only it names."""
    services.care_for_sales(sale_ids=[event.sale_id], actor=Actor.system("on_sale_corrected"))


def on_return_recorded(event: ReturnRecorded) -> None:
    """Whoever brought the goods back is told."""
    services.care_for_returns(return_ids=[event.return_id])


def on_month_was_closed(event: MonthWasClosed) -> None:
    """The boards of the month, and of what it completes, are frozen."""
    services.freeze_boards(close_id=event.close_id)


def on_intake_queued(event: IntakeQueued) -> None:
    """Work on the file; the job work_intakes finds it if this is lost."""
    services.work_intake(event.job_id)


def on_desk_job_started(event: DeskJobStarted) -> None:
    """A worker goes through what a person started at a desk."""
    services.work_desk_job(job_id=event.job_id, actor=Actor.system("work_desk_jobs"))


def on_commission_begun(event: CommissionBegun) -> None:
    """A worker writes the month's statements."""
    services.work_commission(month_id=event.month_id)
