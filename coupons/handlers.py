"""What `coupons` does when others tell of something. All may be delivered twice."""

import datetime as dt

from core.actor import Actor
from coupons import events, services
from coupons.models import Occasion
from coupons.services.face_to_face import PURPOSE
from guides import events as guide_events
from members import events as member_events


def on_channel_scanned(event: guide_events.ChannelScanned) -> None:
    """Who scanned a face-to-face code has her coupon, or is told why not."""
    if event.purpose == PURPOSE:
        services.answer_face_to_face_scan(scan_id=event.scan_id, actor=Actor.system("on_channel_scanned"))


def on_member_bound(event: guide_events.MemberBound) -> None:
    """The welcome coupons of the standing rules."""
    _meet((Occasion.FIRST_BOUND, Occasion.BOUND), event.member_id)


def on_member_joined(event: member_events.MemberJoined) -> None:
    """The join gifts of the standing rules."""
    _meet((Occasion.JOINED,), event.member_id)


def on_member_registered(event: member_events.MemberRegistered) -> None:
    """Who is new with a phone, at a till, has joined as well; a prospect meets no rule."""
    _meet((Occasion.JOINED,), event.member_id)


def on_profile_completed(event: member_events.ProfileCompleted) -> None:
    """What the standing rules give for a complete profile."""
    _meet((Occasion.PROFILE_COMPLETED,), event.member_id)


def on_tier_changed(event: member_events.TierChanged) -> None:
    """Who came up to a tier has what the standing rules give for it; one event tells of many."""
    _meet((Occasion.TIER_REACHED,), None)


def on_coupon_issued(event: events.CouponIssued) -> None:
    """She is told, once."""
    services.tell_of_coupon(coupon_id=event.coupon_id)


def on_gift_returned(event: events.GiftReturned) -> None:
    """She is told, once, when nobody took it."""
    services.tell_of_returned_gift(gift_id=event.gift_id)


def on_coupons_issued(event: events.CouponsIssued) -> None:
    """A rule's members know what became of theirs; a guide's members are told."""
    services.settle_rounds()
    services.tell_of_guide_issue(job_id=event.job_id)


def on_issue_job_confirmed(event: events.IssueJobConfirmed) -> None:
    """A bulk issue begins at once; run twice, two workers share its slices."""
    services.run_issue_job(job_id=event.job_id, actor=Actor.system("on_issue_job_confirmed"))


def on_void_job_started(event: events.VoidJobStarted) -> None:
    """A voiding begins at once; run twice, two workers share its slices."""
    services.run_void_job(job_id=event.job_id)


def on_coupons_expiring(event: events.CouponsExpiring) -> None:
    """She is told, while she may be written to."""
    services.tell_of_expiring(
        member_id=event.member_id,
        expires_on=dt.date.fromisoformat(event.expires_on),
        coupon_count=event.coupon_count,
    )


def _meet(occasions: tuple[str, ...], member_id: int | None) -> None:
    services.meet_occasions(occasions=occasions, member_id=member_id, actor=Actor.system("standing_rules"))
