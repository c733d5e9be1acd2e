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


@shared_task(name="members.reassess_tiers")
def reassess_tiers() -> int:
    """See the service of that name. Answers how many members fell."""
    return services.reassess_tiers(actor=Actor.system("reassess_tiers")).fallen_count


@shared_task(name="members.announce_tiers_at_risk")
def announce_tiers_at_risk() -> int:
    """See the service of that name."""
    return services.announce_tiers_at_risk(actor=Actor.system("announce_tiers_at_risk"))


@shared_task(name="members.run_reassessments")
def run_reassessments() -> int:
    """See the service of that name."""
    return services.run_reassessments(actor=Actor.system("run_reassessments"))


@shared_task(name="members.sweep_latecomers")
def sweep_latecomers() -> int:
    """See the service of that name."""
    return services.sweep_latecomers(actor=Actor.system("sweep_latecomers"))


@shared_task(name="members.erase_ripe_members")
def erase_ripe_members() -> int:
    """See the service of that name. Answers how many members were erased."""
    return services.erase_ripe_members(actor=Actor.system("erase_ripe_members"))


@shared_task(name="members.erase_unfollowed")
def erase_unfollowed() -> int:
    """See the service of that name. Answers how many prospects were erased."""
    return services.erase_unfollowed(actor=Actor.system("erase_unfollowed"))


@shared_task(name="members.work_imports")
def work_imports() -> int:
    """Imports whose wake-up was lost, or whose worker died. Answers how many were taken up."""
    return services.work_imports()


@shared_task(name="members.keep_behaviour_months")
def keep_behaviour_months() -> int:
    """Partitions are there ahead of time and gone after it. Answers how many were made or dropped."""
    return services.keep_partitions()


@shared_task(name="members.settle_behaviours")
def settle_behaviours() -> int:
    """Openids that are somebody's by now, and members who do not agree, of whom no event told. Answers how many."""
    return services.adopt_behaviours() + services.forget_unagreed()


@shared_task(name="members.sum_behaviour_days")
def sum_behaviour_days() -> int:
    """See the service of that name."""
    return services.sum_behaviour_days()


@shared_task(name="members.prune_imports")
def prune_imports() -> int:
    """See the service of that name."""
    return services.prune_imports(actor=Actor.system("prune_imports"))
