"""What WeChat and the law oblige us to delete, and by when."""

import datetime as dt

from django.db.models import Count, Exists, Min, OuterRef, QuerySet

from core.models import AuditEntry
from members.contracts import DeletionDuty
from members.models import Member, MemberStage
from members.selectors.privacy import get_privacy_decisions


def unfollowed_prospects() -> QuerySet[Member]:
    """Who came for the account alone and left it: WeChat obliges whoever hears of an unfollow to delete the person's data.

    Who left a phone joined the chain itself, not its account. Only an unfollow we were told of counts: that an imported
    prospect does not follow is what a file says.
    """
    told = AuditEntry.objects.filter(
        subject_kind=Member._meta.label_lower, subject_id=OuterRef("pk"), action="members.unfollowed"
    )
    rows = Member.objects.living().filter(stage=MemberStage.PROSPECT, is_following=False)
    return rows.filter(Exists(told), follow_changed_at__isnull=False)


def unfollowed_before(at: dt.datetime) -> QuerySet[Member]:
    """Those of them who left by then."""
    return unfollowed_prospects().filter(follow_changed_at__lte=at)


def get_unfollow_duty(at: dt.datetime) -> DeletionDuty:
    """How many unfollowed prospects wait to be deleted, how many should have been, and when the next is."""
    days = get_privacy_decisions().unfollow_keep_days
    told = unfollowed_prospects().aggregate(waiting=Count("pk"), first=Min("follow_changed_at"))
    if days is None or told["first"] is None:
        return DeletionDuty(waiting_count=told["waiting"], late_count=0, next_at=None)
    return DeletionDuty(
        waiting_count=told["waiting"],
        late_count=unfollowed_before(at - dt.timedelta(days=days)).count(),
        next_at=told["first"] + dt.timedelta(days=days),
    )


def count_late_unfollows(at: dt.datetime) -> int:
    """How many unfollowed prospects should have been deleted by then."""
    days = get_privacy_decisions().unfollow_keep_days
    return 0 if days is None else unfollowed_before(at - dt.timedelta(days=days)).count()
