"""The timetable's jobs of `guides`."""

from celery import shared_task

from guides import services


@shared_task(name="guides.mend_missed_reactions")
def mend_missed_reactions() -> int:
    """See the service of that name."""
    return services.mend_missed_reactions()


@shared_task(name="guides.renew_channel_codes")
def renew_channel_codes() -> int:
    """See the service of that name."""
    return services.renew_channel_codes()


@shared_task(name="guides.mend_requests")
def mend_requests() -> int:
    """Service requests are where they belong, and everybody has been told; how much was missed."""
    return services.mend_requests() + services.tell_missed_steps()


@shared_task(name="guides.mark_overdue_requests")
def mark_overdue_requests() -> int:
    """See the service of that name."""
    return services.mark_overdue_requests()


@shared_task(name="guides.close_done_requests")
def close_done_requests() -> int:
    """See the service of that name."""
    return services.close_done_requests()


@shared_task(name="guides.mend_follow_ups")
def mend_follow_ups() -> int:
    """See the service of that name."""
    return services.mend_follow_ups()


@shared_task(name="guides.work_tag_links")
def work_tag_links() -> int:
    """Tags that changed on one side are brought to the other."""
    return services.work_tag_links()


@shared_task(name="guides.settle_answers")
def settle_answers() -> int:
    """What became of guides' answers is kept with them."""
    return services.settle_answers()


@shared_task(name="guides.prune_conversations")
def prune_conversations() -> int:
    """See the service of that name."""
    return services.prune_conversations()
