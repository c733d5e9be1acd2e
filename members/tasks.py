"""The timetable's jobs of `members`."""

from celery import shared_task

from core.actor import Actor
from members import services


@shared_task(name="members.expire_points")
def expire_points() -> int:
    """See the service of that name. Answers how many accounts lost points."""
    return services.expire_points(actor=Actor.system("expire_points")).account_count


@shared_task(name="members.announce_expiring_points")
def announce_expiring_points() -> int:
    """See the service of that name."""
    return services.announce_expiring_points(actor=Actor.system("announce_expiring_points"))


@shared_task(name="members.expire_tags")
def expire_tags() -> int:
    """See the service of that name."""
    return services.expire_tags()


@shared_task(name="members.work_imports")
def work_imports() -> int:
    """Imports whose wake-up was lost, or whose worker died. Answers how many were taken up."""
    return services.work_imports()


@shared_task(name="members.prune_imports")
def prune_imports() -> int:
    """See the service of that name."""
    return services.prune_imports(actor=Actor.system("prune_imports"))
