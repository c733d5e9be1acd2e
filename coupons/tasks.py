"""The timetable's jobs of `coupons`."""

from celery import shared_task

from core.actor import Actor
from coupons import services


@shared_task(name="coupons.expire_coupons")
def expire_coupons() -> int:
    """See the service of that name. Answers how many coupons were closed."""
    return services.expire_coupons(actor=Actor.system("expire_coupons")).coupon_count


@shared_task(name="coupons.announce_expiring_coupons")
def announce_expiring_coupons() -> int:
    """See the service of that name."""
    return services.announce_expiring_coupons(actor=Actor.system("announce_expiring_coupons"))


@shared_task(name="coupons.return_untaken_gifts")
def return_untaken_gifts() -> int:
    """See the service of that name."""
    return services.return_untaken_gifts(actor=Actor.system("return_untaken_gifts"))


@shared_task(name="coupons.release_lapsed_locks")
def release_lapsed_locks() -> int:
    """See the service of that name."""
    return services.release_lapsed_locks(actor=Actor.system("release_lapsed_locks"))


@shared_task(name="coupons.resume_issue_jobs")
def resume_issue_jobs() -> int:
    """See the service of that name."""
    return services.resume_issue_jobs(actor=Actor.system("resume_issue_jobs"))


@shared_task(name="coupons.prune_issue_lists")
def prune_issue_lists() -> int:
    """See the service of that name."""
    return services.prune_issue_lists(actor=Actor.system("prune_issue_lists"))
