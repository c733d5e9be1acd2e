"""The timetable's jobs of `sales`."""

import datetime as dt

from celery import shared_task

from core import clock
from core.actor import Actor
from sales import services

# A week and a month that touch these days are proved whole.
_LOOK_BACK = dt.timedelta(days=2)
# An event that was lost is made up for within a minute, what a long outage lost within six hours.
_FACTS_SOON = dt.timedelta(hours=1)
_FACTS_LATE = dt.timedelta(days=7)


@shared_task(name="sales.retry_held_documents")
def retry_held_documents() -> int:
    """See the service of that name. Answers how many were booked."""
    return services.retry_held_documents(actor=Actor.system("retry_held_documents"))


@shared_task(name="sales.prove_totals")
def prove_totals() -> int:
    """See the service of that name, for the last days. Answers how many totals differed."""
    today = clock.today()
    found = services.prove_totals(
        since=today - _LOOK_BACK, until=today + dt.timedelta(days=1), actor=Actor.system("prove_totals")
    )
    return len(found)


@shared_task(name="sales.sync_places")
def sync_places() -> int:
    """See the service of that name. Answers how many stores came to a place or left it."""
    return services.sync_places()


@shared_task(name="sales.freeze_closed_boards")
def freeze_closed_boards() -> int:
    """See the service of that name. Answers how many boards were frozen."""
    return services.freeze_closed_boards()


@shared_task(name="sales.fold_touched_members")
def fold_touched_members() -> int:
    """See the service of that name. Answers how many members were counted."""
    return services.fold_touched_members(actor=Actor.system("fold_touched_members"))


@shared_task(name="sales.work_metrics_runs")
def work_metrics_runs() -> int:
    """See the service of that name. Answers how many members were looked at."""
    return services.work_metrics_runs(actor=Actor.system("work_metrics_runs")).member_count


@shared_task(name="sales.work_intakes")
def work_intakes() -> int:
    """Files whose wake-up was lost, or whose worker died. Answers how many were taken up."""
    return services.work_intakes()


@shared_task(name="sales.prune_intakes")
def prune_intakes() -> int:
    """See the service of that name."""
    return services.prune_intakes(actor=Actor.system("prune_intakes"))


@shared_task(name="sales.fold_totals")
def fold_totals() -> int:
    """Totals follow what is booked in bulk. Answers how many moves were folded."""
    return services.keep_totals()


@shared_task(name="sales.fold_board_sizes")
def fold_board_sizes() -> int:
    """See the service of that name. Answers how many rows were folded."""
    return services.fold_board_sizes()


@shared_task(name="sales.work_desk_jobs")
def work_desk_jobs() -> int:
    """See the service of that name. Answers how many went on."""
    return services.work_desk_jobs(actor=Actor.system("work_desk_jobs"))


@shared_task(name="sales.work_purchase_care")
def work_purchase_care() -> int:
    """See the service of that name. Answers how many orders and returns were cared for."""
    return services.work_purchase_care(actor=Actor.system("work_purchase_care"))


@shared_task(name="sales.work_reviews")
def work_reviews() -> int:
    """See the service of that name. Answers how many invitations were opened."""
    return services.work_reviews()


@shared_task(name="sales.work_commissions")
def work_commissions() -> int:
    """See the service of that name. Answers how many months went on."""
    return services.work_commissions()


@shared_task(name="sales.catch_up_facts")
def catch_up_facts() -> int:
    """Facts of the last hour whose event was lost. Answers how many entries were written."""
    return services.catch_up_facts(look_back=_FACTS_SOON)


@shared_task(name="sales.catch_up_older_facts")
def catch_up_older_facts() -> int:
    """The same for the last week."""
    return services.catch_up_facts(look_back=_FACTS_LATE)


@shared_task(name="sales.work_nine")
def work_nine() -> int:
    """See the service of that name. Answers how many days of members changed."""
    return services.work_nine(actor=Actor.system("work_nine"))
