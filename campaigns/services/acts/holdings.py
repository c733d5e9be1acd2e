"""Acts that change what a member has: coupons, points, tags."""

import datetime as dt
from collections.abc import Sequence

from campaigns.contracts.acts import Act, ActOutcome
from campaigns.errors import ActThingGone
from campaigns.services.acts.asked import Asked, done, later, refused
from core.actor import Actor
from coupons import selectors as coupon_selectors
from coupons import services as coupon_services
from coupons.contracts import CouponAsked
from members import services as member_services
from members.contracts import PointsGift
from members.errors import NoSuchTag, TagFollowsRule, TagRetired


def give_coupons(*, act: Act, asked: Sequence[Asked], actor: Actor, at: dt.datetime) -> list[ActOutcome]:
    """One of the batch each, as far as it goes."""
    batch_id = coupon_selectors.find_batch_id(act.values["batch"])
    if batch_id is None:
        return [refused(ActThingGone.code)] * len(asked)
    given = coupon_services.issue_each(
        batch_id=batch_id,
        asked=[CouponAsked(one.member_id, f"act:{one.key}") for one in asked],
        actor=actor,
        at=at,
    )
    return [
        done(f"coupon:{one.coupon_id}")
        if one.coupon_id is not None
        else later(one.code)
        if one.may_come
        else refused(one.code)
        for one in given
    ]


def give_points_to(*, act: Act, asked: Sequence[Asked], actor: Actor, at: dt.datetime) -> list[ActOutcome]:
    """So many points each."""
    given = member_services.give_points(
        gifts=[PointsGift(one.member_id, act.values["points"], f"act:{one.key}") for one in asked],
        reason=act.values["reason"],
        actor=actor,
        at=at,
    )
    return [done(f"points:{one.entry_id}") if not one.code else refused(one.code) for one in given]


def tag(*, act: Act, asked: Sequence[Asked], actor: Actor, at: dt.datetime) -> list[ActOutcome]:
    """The tag is given, or taken off."""
    tag_id, days = act.values["tag"], act.values.get("days")
    members = {one.member_id for one in asked}
    try:
        if act.values.get("how") == "remove":
            member_services.untag_members(member_ids=members, tag_id=tag_id, actor=actor, at=at)
        else:
            member_services.tag_members(
                member_ids=members,
                tag_id=tag_id,
                expires_at=None if days is None else at + dt.timedelta(days=days),
                origin="rule",
                actor=actor,
                at=at,
            )
    except (NoSuchTag, TagFollowsRule, TagRetired):
        return [refused(ActThingGone.code)] * len(asked)
    return [done(f"tag:{tag_id}")] * len(asked)
