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


@shared_task(name="members.reward_profiles")
def reward_profiles() -> int:
    """See the service of that name."""
    return services.reward_profiles(actor=Actor.system("reward_profiles"))


@shared_task(name="members.expire_tags")
def expire_tags() -> int:
    """See the service of that name."""
    return services.expire_tags()
