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


@shared_task(name="coupons.resume_void_jobs")
def resume_void_jobs() -> int:
    """See the service of that name."""
    return services.resume_void_jobs()


@shared_task(name="coupons.fold_stats")
def fold_stats() -> int:
    """See the service of that name. Answers how many facts were taken in."""
    return services.fold_stats(actor=Actor.system("fold_stats")).fact_count


@shared_task(name="coupons.settle_redemptions")
def settle_redemptions() -> int:
    """See the service of that name. Answers how many lines were made."""
    return services.settle_redemptions(actor=Actor.system("settle_redemptions")).fact_count


@shared_task(name="coupons.prove_stats")
def prove_stats() -> bool:
    """See `prove_stats_when_due`."""
    return services.prove_stats_when_due(actor=Actor.system("prove_stats"))


@shared_task(name="coupons.mend_face_to_face")
def mend_face_to_face() -> int:
    """Scans without an answer, and offers without their QR."""
    mended = services.mend_face_to_face(actor=Actor.system("mend_face_to_face"))
    return mended + services.fetch_face_to_face_codes()


@shared_task(name="coupons.work_standing_rules")
def work_standing_rules() -> int:
    """See the service of that name. Answers how many coupons were given."""
    return services.work_standing_rules(actor=Actor.system("work_standing_rules"))


@shared_task(name="coupons.finish_unlocks")
def finish_unlocks() -> int:
    """Releases what was missed and closes what is over. Answers how many links that were."""
    actor = Actor.system("finish_unlocks")
    return services.release_unlocks(actor=actor) + services.expire_unlocks(actor=actor)


@shared_task(name="coupons.prune_exchange_tries")
def prune_exchange_tries() -> int:
    """See the service of that name."""
    return services.prune_exchange_tries(actor=Actor.system("prune_exchange_tries"))


@shared_task(name="coupons.prune_issue_lists")
def prune_issue_lists() -> int:
    """See the service of that name."""
    return services.prune_issue_lists(actor=Actor.system("prune_issue_lists"))
