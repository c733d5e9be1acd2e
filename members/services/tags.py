"""Tags: the words themselves, and giving them to members and taking them off, one or a million at a time.

Tagging is set-based: the members are locked (in pk order, as everywhere), then one UPDATE ends what gives way
and one INSERT … SELECT writes the rest. Under the locks nobody else tags or merges the same members, so what
the two statements see is what holds. The unique constraints stand behind them.
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from core import audit, clock, events
from core.actor import Actor
from core.constraints import violated
from core.errors import Conflict
from core.models import changed_fields
from members.contracts import TagCard, Tagging, TagGroupCard, TagOriginKind
from members.errors import (
    NoSuchTag,
    TagExpiryPast,
    TagFollowsRule,
    TagNameTaken,
    TagNameUnusable,
    TagRetired,
)
from members.events import MembersTagged, MembersUntagged
from members.models import Member, MemberTag, Tag, TagGroup, TagOrigin
from members.selectors import group_card_of, list_merge_targets, tag_card_of

_ATTEMPTS: Final = 5
_EXPIRE_BATCH: Final = 5_000
_NAMES: Final = frozenset({"taggroup_one_per_name", "tag_one_per_name"})

_INSERT: Final = """
WITH given AS (
    INSERT INTO members_membertag
        (member_id, tag_id, exclusive_group_id, tagged_at, tagged_by, origin, expires_at, removed_by)
    SELECT person, %(tag)s, %(group)s, %(at)s, %(by)s, %(origin)s, %(expires_at)s, ''
    FROM unnest(%(people)s::bigint[]) AS person
    ON CONFLICT (member_id, tag_id) WHERE removed_at IS NULL
        DO UPDATE SET expires_at = EXCLUDED.expires_at
        WHERE members_membertag.expires_at IS DISTINCT FROM EXCLUDED.expires_at
    RETURNING xmax = 0 AS is_new
)
SELECT count(*) FROM given WHERE is_new
"""  # xmax is 0 for an inserted row and not for one that ON CONFLICT updated


def create_tag_group(
    *, name: str, is_exclusive: bool = False, order: int = 0, actor: Actor, at: dt.datetime | None = None
) -> TagGroupCard:
    """A group exists. Whether it is exclusive stays so. Refuses an unusable name and one that is taken."""
    name = usable_tag_name(name)
    with _names_taken(), transaction.atomic():
        group = TagGroup.objects.create(name=name, is_exclusive=is_exclusive, order=order)
        audit.record(action="members.tag_group_created", subject=group, actor=actor, at=at)
    return group_card_of(group)


def change_tag_group(
    *, group_id: int, name: str, order: int, actor: Actor, at: dt.datetime | None = None
) -> TagGroupCard:
    """The group has this name and place. Refuses an unusable name and one that is taken."""
    name = usable_tag_name(name)
    with _names_taken(), transaction.atomic():
        group = TagGroup.objects.lock(group_id)
        changed = changed_fields(group, name=name, order=order)
        if changed:
            group.save(update_fields=changed)
            audit.record(
                action="members.tag_group_changed", subject=group, actor=actor, at=at, fields=changed
            )
    return group_card_of(group)


def create_tag(
    *,
    group_id: int,
    name: str,
    origin: TagOriginKind = "manual",
    actor: Actor,
    at: dt.datetime | None = None,
) -> TagCard:
    """A tag exists in the group. Refuses an unusable name and one that the group has already."""
    name = usable_tag_name(name)
    with _names_taken(), transaction.atomic():
        group = TagGroup.objects.filter(pk=group_id).first()
        if group is None:
            raise NoSuchTag
        tag = Tag.objects.create(group=group, name=name, origin=origin)
        audit.record(action="members.tag_created", subject=tag, actor=actor, at=at)
    return tag_card_of(tag)


def rename_tag(*, tag_id: int, name: str, actor: Actor, at: dt.datetime | None = None) -> TagCard:
    """The tag is called this, wherever it is. Refuses an unusable name and one that the group has already."""
    return _change_tag(tag_id, "members.tag_renamed", actor, at, name=usable_tag_name(name))


def retire_tag(*, tag_id: int, actor: Actor, at: dt.datetime | None = None) -> TagCard:
    """Nobody gets the tag any more; who has it keeps it until it is taken off or runs out. Refuses (TagFollowsRule) one
    that follows a rule."""
    return _change_tag(tag_id, "members.tag_retired", actor, at, is_active=False)


def restore_tag(*, tag_id: int, actor: Actor, at: dt.datetime | None = None) -> TagCard:
    """A retired tag may be given again."""
    return _change_tag(tag_id, "members.tag_restored", actor, at, is_active=True)


def tag_members(
    *,
    member_ids: Iterable[int],
    tag_id: int,
    expires_at: dt.datetime | None = None,
    origin: TagOriginKind = "manual",
    actor: Actor,
    at: dt.datetime | None = None,
) -> Tagging:
    """These members have the tag until `expires_at` (None: until it is taken off). Repeating changes nothing.

    Who has it already keeps her row and gets the new end. In an exclusive group the tag she had before is
    taken off. A merged row stands for the member it lives on in; unknown ids are passed over. Refuses an
    unknown or retired tag, one that follows a rule (TagFollowsRule), and an end that is not in the future.
    """
    wanted = set(member_ids)

    def lock() -> list[int]:
        return _lock_living(wanted)

    return _tag(lock, tag_id, expires_at, origin, actor, at)


def tag_search(
    *,
    members: QuerySet[Any],
    tag_id: int,
    expires_at: dt.datetime | None = None,
    origin: TagOriginKind = "manual",
    actor: Actor,
    at: dt.datetime | None = None,
) -> Tagging:
    """All living members of an id queryset (a search, a segment) have the tag; otherwise as `tag_members`."""

    def lock() -> list[int]:
        return _lock_found(members)

    return _tag(lock, tag_id, expires_at, origin, actor, at)


def untag_members(
    *, member_ids: Iterable[int], tag_id: int, actor: Actor, at: dt.datetime | None = None
) -> int:
    """These members have the tag no more; how many had it. A retired tag can be taken off, one that follows a rule cannot
    (TagFollowsRule)."""
    wanted = set(member_ids)
    return _untag(lambda: _lock_living(wanted), tag_id, actor, at)


def untag_search(*, members: QuerySet[Any], tag_id: int, actor: Actor, at: dt.datetime | None = None) -> int:
    """No living member of an id queryset has the tag any more; how many had it."""
    return _untag(lambda: _lock_found(members), tag_id, actor, at)


def expire_tags(*, limit: int = 100_000, at: dt.datetime | None = None) -> int:
    """Tags whose time has come are taken off; how many. Reads never show them meanwhile.

    In batches of their own transactions; rows that somebody holds are left for the next round.
    """
    at = at or clock.now()
    total = 0
    while total < limit:
        done = _expire_batch(at)
        total += done
        if done < _EXPIRE_BATCH:
            break
    return total


def usable_tag_name(text: str) -> str:
    """The name without stray blanks and control characters. Raises TagNameUnusable."""
    name = " ".join("".join(character for character in text if character.isprintable()).split())
    if not 1 <= len(name) <= 20:
        raise TagNameUnusable(field="name")
    return name


def tag_doer(actor: Actor) -> str:
    """The doer as a member's page names her: who gave the tag, at most 90 characters."""
    kinds = {
        "system": _("系统"),
        "staff": _("后台"),
        "guide": _("导购"),
        "member": _("会员本人"),
        "wechat": _("微信"),
        "client": _("收银系统"),
    }
    kind = kinds[actor.kind]
    return kind if not actor.label or actor.kind == "system" else f"{kind} {actor.label}"[:90]


@contextlib.contextmanager
def _names_taken() -> Iterator[None]:
    """The unique names of groups and tags, as a refusal."""
    try:
        yield
    except IntegrityError as error:
        if violated(error) in _NAMES:
            raise TagNameTaken(field="name") from None
        raise


def _change_tag(tag_id: int, action: str, actor: Actor, at: dt.datetime | None, **values: Any) -> TagCard:
    with _names_taken(), transaction.atomic():
        tags = Tag.objects.lock_all([tag_id])
        if not tags:
            raise NoSuchTag
        changed = changed_fields(tags[0], **values)
        if "is_active" in changed and tags[0].origin == TagOrigin.RULE:
            raise TagFollowsRule
        if changed:
            tags[0].save(update_fields=changed)
            audit.record(action=action, subject=tags[0], actor=actor, at=at)
        return tag_card_of(tags[0])


def _tag(
    lock: Callable[[], list[int]],
    tag_id: int,
    expires_at: dt.datetime | None,
    origin: TagOriginKind,
    actor: Actor,
    at: dt.datetime | None,
) -> Tagging:
    at = at or clock.now()
    if expires_at is not None and expires_at <= at:
        raise TagExpiryPast(field="expires_at")
    with transaction.atomic():
        people = lock()
        # Read after the locks and not locked itself: being retired just now is the same as a moment later.
        tag = _by_hand(tag_id)
        if not tag.is_active:
            raise TagRetired
        replaced = _make_room(people, tag, actor=actor, at=at)
        values = {
            "tag": tag.pk,
            "group": tag.group_id if tag.group.is_exclusive else None,
            "at": at,
            "by": tag_doer(actor),
            "origin": origin,
            "expires_at": expires_at,
            "people": people,
        }
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, values)
            given = int(cursor.fetchone()[0])
        if given:
            audit.record(
                action="members.tagged", subject=tag, actor=actor, at=at, members=given, replaced=replaced
            )
            events.publish(MembersTagged(tag.pk, at.isoformat(), given))
    return Tagging(tagged_count=given, had_count=len(people) - given, replaced_count=replaced)


def _make_room(people: list[int], tag: Tag, *, actor: Actor, at: dt.datetime) -> int:
    """End what gives way to the tag: its own rows that ran out, and others of its exclusive group."""
    rows = _rows_of(people)
    rows.filter(tag=tag, expires_at__lte=at).update(
        removed_at=at, removed_by=tag_doer(Actor.system("expire"))
    )
    if not tag.group.is_exclusive:
        return 0
    rivals = rows.filter(~Q(tag=tag), exclusive_group_id=tag.group_id)
    lost = list(rivals.values_list("tag_id").order_by("tag_id").distinct())
    total = 0
    for (rival_id,) in lost:
        count = rivals.filter(tag_id=rival_id).update(removed_at=at, removed_by=tag_doer(actor))
        total += count
        events.publish(MembersUntagged(rival_id, at.isoformat(), count))
    return total


def _untag(lock: Callable[[], list[int]], tag_id: int, actor: Actor, at: dt.datetime | None) -> int:
    at = at or clock.now()
    with transaction.atomic():
        people = lock()
        tag = _by_hand(tag_id)
        count = _rows_of(people).filter(tag=tag).update(removed_at=at, removed_by=tag_doer(actor))
        if count:
            audit.record(action="members.untagged", subject=tag, actor=actor, at=at, members=count)
            events.publish(MembersUntagged(tag.pk, at.isoformat(), count))
    return count


def _rows_of(people: list[int]) -> QuerySet[MemberTag]:
    """The rows of these members that nobody ended; the ids travel as one array, however many they are."""
    wanted = RawSQL("SELECT unnest(%s::bigint[])", [people])
    return MemberTag.objects.filter(removed_at__isnull=True, member_id__in=wanted)


def _by_hand(tag_id: int) -> Tag:
    """The tag, which people give and take off. Raises NoSuchTag, TagFollowsRule."""
    tag = Tag.objects.select_related("group").filter(pk=tag_id).first()
    if tag is None:
        raise NoSuchTag
    if tag.origin == TagOrigin.RULE:
        raise TagFollowsRule
    return tag


def _lock_living(member_ids: set[int]) -> list[int]:
    """The living rows these ids stand for, locked; asked again when one is merged while we wait for the locks."""
    for _attempt in range(_ATTEMPTS):
        targets = set(list_merge_targets(member_ids).values())
        # Rolling back to the savepoint gives the locks up: rows are only ever locked in pk order.
        with transaction.atomic():
            locked = Member.objects.living().filter(pk__in=targets).only("pk").lock_rows()
            if len(locked) == len(targets):
                return [row.pk for row in locked]
            transaction.set_rollback(True)
    raise Conflict


def _lock_found(members: QuerySet[Any]) -> list[int]:
    """The living members of the search, locked. One who is merged while we wait drops out of the search."""
    found: QuerySet[Any, Any] = members.order_by().values("pk") if members.model is Member else members
    return [row.pk for row in Member.objects.living().filter(pk__in=found).only("pk").lock_rows()]


def _expire_batch(at: dt.datetime) -> int:
    with transaction.atomic():
        due = MemberTag.objects.filter(removed_at__isnull=True, expires_at__lte=at).claim(_EXPIRE_BATCH)
        by = tag_doer(Actor.system("expire_tags"))
        MemberTag.objects.filter(pk__in=[row.pk for row in due]).update(removed_at=at, removed_by=by)
        counts: dict[int, int] = {}
        for row in due:
            counts[row.tag_id] = counts.get(row.tag_id, 0) + 1
        for tag_id, count in counts.items():
            events.publish(MembersUntagged(tag_id, at.isoformat(), count))
    return len(due)
