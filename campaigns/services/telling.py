"""What lower apps tell members becomes reaches: they know no campaign and call `guides.services.tell_members`, which
comes here (`settings.MEMBER_TELLER`, `settings.MEMBER_SILENCER`)."""

import datetime as dt
from collections.abc import Mapping, Sequence

from campaigns.contracts import ReachOrder, TopicTerms
from campaigns.contracts import topics as names
from campaigns.contracts.reaches import TAKEN_BACK
from campaigns.models import Reach, ReachState
from campaigns.selectors.policy import list_topic_terms
from campaigns.selectors.text_standing import live_topic_texts
from campaigns.services.queueing import queue_reaches
from core import clock
from guides.contracts import MemberText
from members import selectors as member_selectors
from sms import services as sms_services


def tell_members(*, told: Sequence[MemberText], at: dt.datetime) -> int:
    """Each of these is a reach of its member, once for its reason; how many are new. Who was merged is told as who she
    lives on as.

    Who is known in no app of ours, and whom nobody may write to of this, leaves no row: after a night's file of orders that
    would be most of them. What must be said is kept for everybody who can be reached at all; what her guide sees to for
    everybody who is a member, and what goes by text message for everybody who has a phone.
    """
    living = member_selectors.list_merge_targets({one.member_id for one in told})
    known = member_selectors.known_in_wechat_ids(set(living.values()))
    terms = list_topic_terms()
    # Her guide reaches her without any app of ours, and so does a text.
    seen_to = {topic for topic, one in terms.items() if names.FOLLOW_UP in one.channels}
    texted = _texted_topics(terms)
    through_people = set(
        member_selectors.living_member_ids().filter(pk__in=_whom(told, seen_to, living) - known)
    )
    by_text = member_selectors.with_phone_ids(_whom(told, texted, living) - known)
    words = member_selectors.list_last_words(known | through_people | by_text)
    orders = [
        _order(one, member_id, at)
        for one in told
        if (
            (member_id := living.get(one.member_id, 0)) in known
            or (one.topic in seen_to and member_id in through_people)
            or (one.topic in texted and member_id in by_text)
        )
        and terms[one.topic].is_on
        and _agrees(words.get(member_id), terms[one.topic].importance)
    ]
    return queue_reaches(orders=orders, at=at) if orders else 0


def _agrees(last_word: bool | None, importance: str) -> bool:
    """Whether what she said last on marketing, if anything, lets this through."""
    if importance == "must":
        return True
    return last_word is True if importance == "marketing" else last_word is not False


def _order(one: MemberText, member_id: int, at: dt.datetime) -> ReachOrder:
    return ReachOrder(
        member_id=member_id,
        topic=one.topic,
        reason_key=one.reason_key,
        title=one.title,
        text=one.text,
        values=one.values,
        not_before=one.not_before,
        expires_at=None if one.due_on is None else clock.day_bounds(one.due_on)[1],
        due_on=one.due_on,
    )


def take_back(*, reason_keys: Sequence[str], at: dt.datetime) -> int:
    """What was to be told for these reasons is not, unless it went out; how many."""
    waiting = Reach.objects.filter(
        reason_key__in=list(reason_keys), state=ReachState.QUEUED, sent_at__isnull=True
    )
    return waiting.update(state=ReachState.SKIPPED, code=TAKEN_BACK, finished_at=at)


def _whom(told: Sequence[MemberText], topics: set[str], living: Mapping[int, int]) -> set[int]:
    return {living[one.member_id] for one in told if one.topic in topics and one.member_id in living}


def _texted_topics(terms: Mapping[str, TopicTerms]) -> set[str]:
    """Topics that go by text message, and can."""
    chained = {topic for topic, one in terms.items() if names.SMS in one.channels}
    return chained & set(live_topic_texts()) if chained and sms_services.is_set_up() else set()
