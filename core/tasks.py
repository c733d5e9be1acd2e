"""The timetable's jobs of `core`."""

from celery import shared_task

from core.admin import export_jobs


@shared_task(name="core.build_exports")
def build_exports() -> int:
    """See the function of that name. Answers how many files were built."""
    return export_jobs.build_exports()


@shared_task(name="core.prune_exports")
def prune_exports() -> int:
    """See the function of that name."""
    return export_jobs.prune_exports()
