"""What lower apps tell members becomes reaches: they know no campaign and call `guides.services.tell_members`, which
comes here (`settings.MEMBER_TELLER`)."""

import datetime as dt
from collections.abc import Sequence

from campaigns.contracts import ReachOrder
from campaigns.selectors.policy import list_topic_terms
from campaigns.services.queueing import queue_reaches
from guides.contracts import MemberText
from members import selectors as member_selectors


def tell_members(*, told: Sequence[MemberText], at: dt.datetime) -> int:
    """Each of these is a reach of its member, once for its reason; how many are new. Who was merged is told as who she
    lives on as.

    Who is known in no app of ours, and whom nobody may write to, leaves no row: after a night's file of orders that would be
    most of them. What must be said is kept for everybody who can be reached at all.
    """
    living = member_selectors.list_merge_targets({one.member_id for one in told})
    known = member_selectors.known_in_wechat_ids(set(living.values()))
    silent = member_selectors.withdrawn_among(known)
    terms = list_topic_terms()
    orders = [
        ReachOrder(
            member_id=living[one.member_id],
            topic=one.topic,
            reason_key=one.reason_key,
            title=one.title,
            text=one.text,
            values=one.values,
        )
        for one in told
        if (member_id := living.get(one.member_id)) in known
        and terms[one.topic].is_on
        and (member_id not in silent or terms[one.topic].importance == "must")
    ]
    return queue_reaches(orders=orders, at=at) if orders else 0
