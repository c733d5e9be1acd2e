"""The timetable's jobs of `campaigns`."""

from celery import shared_task

from campaigns import services
from campaigns.services import contacts, journeys, material_openings, material_shares, running


@shared_task(name="campaigns.send_due_reaches")
def send_due_reaches() -> int:
    """What is due, unless enough processes are at it."""
    return services.work_reaches()


@shared_task(name="campaigns.recall_lost_reports")
def recall_lost_reports() -> int:
    """See the service of that name."""
    return services.recall_lost_reports()


@shared_task(name="campaigns.work_campaigns")
def work_campaigns() -> int:
    """Campaigns that run, unless enough processes are at it."""
    return running.work_campaigns()


@shared_task(name="campaigns.work_mass_messages")
def work_mass_messages() -> int:
    """Mass messages whose time has come, whose worker died, or whose result is overdue."""
    return services.send_due_mass_messages() + services.ask_overdue_results()


@shared_task(name="campaigns.work_journeys")
def work_journeys() -> int:
    """See the service of that name."""
    return journeys.work_journeys()


@shared_task(name="campaigns.keep_journeys")
def keep_journeys() -> int:
    """Numbers are folded, and ended journeys let everybody out."""
    journeys.fold_journey_counts()
    return journeys.finish_ended_journeys()


@shared_task(name="campaigns.prune_journey_steps")
def prune_journey_steps() -> int:
    """See the service of that name."""
    return journeys.prune_journey_steps()


@shared_task(name="campaigns.work_webhooks")
def work_webhooks() -> int:
    """See the service of that name."""
    return services.work_webhooks()


@shared_task(name="campaigns.prune_webhooks")
def prune_webhooks() -> int:
    """See the service of that name."""
    return services.prune_webhooks()


@shared_task(name="campaigns.prune_mass_lists")
def prune_mass_lists() -> int:
    """See the service of that name."""
    return services.prune_mass_lists()


@shared_task(name="campaigns.prune_reaches")
def prune_reaches() -> int:
    """See the service of that name."""
    return services.prune_reaches()


@shared_task(name="campaigns.work_segments")
def work_segments() -> int:
    """See the service of that name."""
    return services.work_segments()


@shared_task(name="campaigns.prune_segment_moves")
def prune_segment_moves() -> int:
    """See the service of that name."""
    return services.prune_segment_moves()


@shared_task(name="campaigns.end_over_campaigns")
def end_over_campaigns() -> int:
    """See the service of that name."""
    return services.end_over_campaigns()


@shared_task(name="campaigns.work_outcomes")
def work_outcomes() -> int:
    """See the service of that name."""
    return services.work_outcomes()


@shared_task(name="campaigns.count_contacts")
def count_contacts() -> int:
    """See the service of that name. Answers how many cells there are."""
    return contacts.count_contacts()


@shared_task(name="campaigns.count_shares")
def count_shares() -> int:
    """Shared materials whose event was lost. Answers how many were written."""
    return material_shares.count_open_shares()


@shared_task(name="campaigns.forget_readers")
def forget_readers() -> int:
    """See the service of that name, and those who agree no more. Answers how many rows."""
    return material_openings.forget_readers() + material_openings.part_unwilling_readers()
