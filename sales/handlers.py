"""What `sales` does when something was told. All may be delivered twice."""

from core.actor import Actor
from coupons.events import CouponRedeemed, RedemptionReversed
from guides.events import FollowUpChanged, MemberBound, MemberUnbound
from members.events import MemberJoined, MemberMerged, MemberRegistered, MemberUnmerged
from sales import services
from sales.events import (
    CommissionBegun,
    DeskJobStarted,
    IntakeQueued,
    MonthWasClosed,
    ReturnRecorded,
    SaleCorrected,
    SaleRecorded,
)


def on_sale_recorded(event: SaleRecorded) -> None:
    """Its member hears of it, and has what it earned. A larger batch announces nothing: work_purchase_care finds it."""
    if event.member_id:
        services.care_for_sales(sale_ids=[event.sale_id], actor=Actor.system("on_sale_recorded"))


def on_sale_corrected(event: SaleCorrected) -> None:
    """What only the corrected order earns, or whom only it names."""
    services.care_for_sales(sale_ids=[event.sale_id], actor=Actor.system("on_sale_corrected"))


def on_return_recorded(event: ReturnRecorded) -> None:
    """Whoever brought the goods back is told."""
    services.care_for_returns(return_ids=[event.return_id])


def on_month_was_closed(event: MonthWasClosed) -> None:
    """The boards of the month, and of what it completes, are frozen."""
    services.freeze_boards(close_id=event.close_id)


def on_intake_queued(event: IntakeQueued) -> None:
    """Work on the file; the job work_intakes finds it if this is lost."""
    services.work_intake(event.job_id)


def on_desk_job_started(event: DeskJobStarted) -> None:
    """A worker goes through what a person started at a desk."""
    services.work_desk_job(job_id=event.job_id, actor=Actor.system("work_desk_jobs"))


def on_commission_begun(event: CommissionBegun) -> None:
    """A worker writes the month's statements, or takes them back."""
    services.work_commission(month_id=event.month_id)


def on_member_joined(event: MemberJoined | MemberRegistered) -> None:
    """She is a new member for the guide who brought her, when she has proved a phone. Lost, `catch_up_facts` counts
    her, as all below."""
    services.reconcile_facts(kind="member", refs=[event.member_id])


def on_member_bound(event: MemberBound) -> None:
    """A new binding for her guide; who joined today without a code was brought by the guide she takes."""
    services.reconcile_facts(kind="binding", refs=[event.binding_id])
    services.reconcile_facts(kind="member", refs=[event.member_id])


def on_member_unbound(event: MemberUnbound) -> None:
    """What ended too soon was no new binding."""
    services.reconcile_facts(kind="binding", refs=[event.binding_id])


def on_member_merged(event: MemberMerged) -> None:
    """Two rows are one person: she is new once."""
    services.reconcile_persons(member_ids=[event.from_member_id, event.into_member_id])


def on_member_unmerged(event: MemberUnmerged) -> None:
    """Two people after all: each is new herself."""
    services.reconcile_persons(member_ids=[event.parted_member_id, event.survivor_id])


def on_redemption_changed(event: CouponRedeemed | RedemptionReversed) -> None:
    """A redemption for the guide and the store that took the coupon, or none any more."""
    services.reconcile_facts(kind="redemption", refs=[event.redemption_id])


def on_follow_up_changed(event: FollowUpChanged) -> None:
    """It counts for the guide who did it, and no more when she took it back."""
    services.reconcile_facts(kind="task", refs=[event.follow_up_id])
