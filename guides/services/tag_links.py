"""Members' tags and WeChat's tags of followers kept the same, in the direction staff chose.

A look compares both sides as they are and changes what differs, so it does not matter what was missed: a change of tags
only makes a link due, and all are due once an hour.
"""

import datetime as dt
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q

from core import audit, clock
from core.actor import Actor
from core.constraints import violated
from core.errors import Refusal
from core.models import LockingQuerySet
from guides.errors import FollowerTagLinked
from guides.models import LinkDirection, TagLink
from members import selectors as member_selectors
from members import services as member_services
from members.errors import TagFollowsRule
from wechat.services import follower_tags, taggings

EVERY: Final = dt.timedelta(hours=1)


def link_tags(
    *, member_tag_id: int, follower_tag_id: int, direction: str, actor: Actor, at: dt.datetime | None = None
) -> int:
    """The two tags say the same from now on, the leading one first; the link's id.

    Refuses (FollowerTagLinked) a tag of WeChat's that is in a link already, unknown tags (NoSuchTag, FollowerTagGone), one
    that WeChat has no more, and (TagFollowsRule) that WeChat gives one which follows a rule.
    """
    at = at or clock.now()
    if member_selectors.get_tag_card(member_tag_id).is_ruled and direction == LinkDirection.PULL:
        raise TagFollowsRule(field="member_tag")
    follower_tags.get_live_follower_tag(follower_tag_id)
    try:
        with transaction.atomic():
            link = TagLink.objects.create(
                member_tag_id=member_tag_id,
                follower_tag_id=follower_tag_id,
                direction=LinkDirection(direction),
                due_at=at,
            )
            audit.record(action="guides.tags_linked", subject=link, actor=actor, at=at, direction=direction)
    except IntegrityError as error:
        if violated(error) == "taglink_one_active_per_follower_tag":
            raise FollowerTagLinked(field="follower_tag") from None
        raise
    return link.pk


def unlink_tags(*, link_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The two tags have nothing to do with each other any more; who has either keeps it, and what waits to be put on or taken
    off in WeChat is not done. A second call changes nothing."""
    at = at or clock.now()
    with transaction.atomic():
        link = TagLink.objects.lock(link_id)
        if not link.is_active:
            return
        link.is_active = False
        link.save(update_fields=["is_active"])
        if link.direction == LinkDirection.PUSH:
            taggings.release_tag(tag_pk=link.follower_tag_id)
        audit.record(action="guides.tags_unlinked", subject=link, actor=actor, at=at)


def work_tag_link(*, link_id: int, at: dt.datetime | None = None) -> bool:
    """The link is looked at now; False when it is ended, or somebody else looks at it."""
    return _work(TagLink.objects.filter(pk=link_id, is_active=True), at or clock.now())


def work_tag_links(*, at: dt.datetime | None = None) -> int:
    """Every link that is due is looked at; how many. One that is refused does not hold up the others."""
    at = at or clock.now()
    due = TagLink.objects.due(at).order_by("due_at", "pk").values_list("pk", flat=True)
    return sum(_work(TagLink.objects.due(at).filter(pk=link_id), at) for link_id in list(due))


def note_tag_change(*, member_tag_id: int, at: dt.datetime | None = None) -> int:
    """Who has the tag of ours changed: links that follow it are due; how many."""
    at = at or clock.now()
    pushed = TagLink.objects.filter(member_tag_id=member_tag_id, direction=LinkDirection.PUSH, is_active=True)
    return pushed.filter(due_at__gt=at).update(due_at=at)


def _work(rows: LockingQuerySet[TagLink], at: dt.datetime) -> bool:
    with transaction.atomic():
        claimed = rows.claim(1)
        if not claimed:
            return False
        link = claimed[0]
        link.due_at, link.worked_at = at + EVERY, at
        try:
            with transaction.atomic():
                look = _push if link.direction == LinkDirection.PUSH else _pull
                put, taken = look(link, at)
            link.trouble_code = ""
        except Refusal as refusal:
            put, taken, link.trouble_code = 0, 0, refusal.code
        if put or taken:
            link.put_count, link.taken_count = put, taken
        link.save(update_fields=["due_at", "worked_at", "put_count", "taken_count", "trouble_code"])
    return True


def _push(link: TagLink, at: dt.datetime) -> tuple[int, int]:
    """Who has our tag and follows is to carry WeChat's."""
    tag = follower_tags.get_live_follower_tag(link.follower_tag_id)
    openids = member_selectors.tagged_openids(link.member_tag_id, tag.app_id, at)
    done = taggings.want_tag(tag_pk=tag.id, openids=openids, at=at)
    return done.put_count, done.taken_count


def _pull(link: TagLink, at: dt.datetime) -> tuple[int, int]:
    """Who carries WeChat's tag has ours; who got ours this way and carries it no more has it no more. Nothing before the list
    was read once to its end."""
    tag = follower_tags.get_live_follower_tag(link.follower_tag_id)
    if tag.listed_at is None:
        return 0, 0
    actor = Actor.system("work_tag_links")
    carriers = member_selectors.openid_owner_ids(tag.app_id, taggings.carrier_openids(tag.id))
    had = member_selectors.tagged_member_ids(link.member_tag_id, at)
    put = taken = 0
    new: Any = carriers.exclude(member_id__in=had)
    if new.exists():
        put = member_services.tag_search(
            members=new, tag_id=link.member_tag_id, origin="rule", actor=actor, at=at
        ).tagged_count
    ruled = member_selectors.ruled_member_ids(link.member_tag_id, at)
    stale = ruled.filter(member_id__in=member_selectors.openid_owner_ids(tag.app_id, None))
    stale = stale.filter(~Q(member_id__in=carriers))
    if stale.exists():
        taken = member_services.untag_search(members=stale, tag_id=link.member_tag_id, actor=actor, at=at)
    return put, taken
