"""Reads about files of orders: how far each is."""

from core.imports.progress import card_values, find_earlier
from sales.contracts import IntakeCard, IntakeCounts
from sales.errors import NoSuchIntake
from sales.models import IntakeJob


def get_intake_card(job_id: int) -> IntakeCard:
    """One import as it stands. Raises NoSuchIntake."""
    job = IntakeJob.objects.filter(pk=job_id).first()
    if job is None:
        raise NoSuchIntake
    return intake_card_of(job)


def intake_card_of(job: IntakeJob) -> IntakeCard:
    """An import for a page."""
    return IntakeCard(
        **card_values(job, counts=IntakeCounts),
        kind=job.kind,
        kind_label=str(job.get_kind_display()),
        source=job.source,
        row_count=job.row_count,
    )


def find_earlier_intake(job_id: int) -> IntakeCard | None:
    """The newest other import of the very same file of the same source that booked something, or None."""
    job = IntakeJob.objects.filter(pk=job_id).first()
    earlier = None if job is None else find_earlier(IntakeJob.objects.filter(source=job.source), job=job)
    return None if earlier is None else intake_card_of(earlier)
