"""Tags: the chain's words, and who has them."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, QuerySet

from core import clock
from core.compiled import Given, compiled
from core.labels import labels_of
from members.contracts import MemberTagLine, TagCard, TagGroupCard
from members.errors import NoSuchTag
from members.models import Identity, MemberIdentity, MemberTag, Tag, TagGroup, TagOrigin


def group_card_of(group: TagGroup) -> TagGroupCard:
    """What may be shown of a group."""
    return TagGroupCard(id=group.pk, name=group.name, is_exclusive=group.is_exclusive)


def tag_card_of(tag: Tag) -> TagCard:
    """What may be shown of a tag fetched with its group."""
    return TagCard(
        id=tag.pk,
        name=tag.name,
        group=group_card_of(tag.group),
        is_active=tag.is_active,
        is_ruled=tag.origin == TagOrigin.RULE,
    )


def get_tag_card(tag_id: int) -> TagCard:
    """Also of a retired one. Raises NoSuchTag."""
    tag = Tag.objects.select_related("group").filter(pk=tag_id).first()
    if tag is None:
        raise NoSuchTag
    return tag_card_of(tag)


def list_tags() -> tuple[TagCard, ...]:
    """All tags that are in use, group by group."""
    tags = Tag.objects.filter(is_active=True).select_related("group")
    return tuple(tag_card_of(tag) for tag in tags.order_by("group__order", "group__name", "name"))


def list_givable_tags() -> tuple[TagCard, ...]:
    """Those of them that people may give: not the ones that follow a rule."""
    return tuple(tag for tag in list_tags() if not tag.is_ruled)


def list_member_tags(member_id: int, at: dt.datetime | None = None) -> tuple[MemberTagLine, ...]:
    """The tags she has now, group by group; retired ones that she still has as well."""
    groups: dict[int, TagGroupCard] = {}
    lines, origins = [], labels_of(MemberTag, "origin")
    for tag_id, name, is_active, tag_origin, group_id, group, is_exclusive, *given in _tags_of(
        member_id=member_id, at=at or clock.now()
    ):
        card = groups.setdefault(group_id, TagGroupCard(group_id, group, is_exclusive))
        tagged_at, tagged_by, origin, expires_at = given
        tag = TagCard(tag_id, name, card, is_active, is_ruled=tag_origin == TagOrigin.RULE)
        label = origins.get(origin, origin)
        lines.append(MemberTagLine(tag, tagged_at, tagged_by, label, expires_at))
    return tuple(lines)


@compiled
def _tags_of(*, member_id: Given, at: Given) -> QuerySet[MemberTag, tuple[Any, ...]]:
    rows = MemberTag.objects.live(at).filter(member_id=member_id)  # type: ignore[arg-type]
    tag = (
        "tag_id",
        "tag__name",
        "tag__is_active",
        "tag__origin",
        "tag__group_id",
        "tag__group__name",
        "tag__group__is_exclusive",
    )
    columns = (*tag, "tagged_at", "tagged_by", "origin", "expires_at")
    return rows.order_by("tag__group__order", "tag__group__name", "tag__name").values_list(*columns)


def list_recent_tag_ids(tagged_by: str, limit: int = 6) -> tuple[int, ...]:
    """The tags this doer gave last, newest first, whether members still have them or not."""
    rows = MemberTag.objects.filter(tagged_by=tagged_by).order_by("-tagged_at", "-pk")
    # Of the last few rows only: an index look-up, however many she has given in her life.
    return tuple(dict.fromkeys(rows.values_list("tag_id", flat=True)[: limit * 8]))[:limit]


def find_last_expiry(member_id: int, tag_id: int) -> dt.datetime | None:
    """Until when she had the tag that was taken off last: undoing gives it back for as long."""
    rows = MemberTag.objects.filter(member_id=member_id, tag_id=tag_id, removed_at__isnull=False)
    return rows.order_by("-removed_at", "-pk").values_list("expires_at", flat=True).first()


def tagged_member_ids(tag_id: int, at: dt.datetime | None = None) -> QuerySet[Any, int]:
    """Ids of the members who have the tag now; unevaluated."""
    return MemberTag.objects.live(at or clock.now()).filter(tag_id=tag_id).values_list("member_id", flat=True)


def ruled_member_ids(tag_id: int, at: dt.datetime | None = None) -> QuerySet[Any, int]:
    """Ids of the members who have the tag now by a rule, not by anybody's hand; unevaluated."""
    rows = MemberTag.objects.live(at or clock.now()).filter(tag_id=tag_id, origin=TagOrigin.RULE)
    return rows.values_list("member_id", flat=True)


def tagged_openids(tag_id: int, app_id: str, at: dt.datetime | None = None) -> QuerySet[Any, str]:
    """The openids, in this app, of the members who have the tag now; unevaluated."""
    hers = MemberIdentity.objects.filter(kind=Identity.OPENID, app_id=app_id)
    return hers.filter(member_id__in=tagged_member_ids(tag_id, at)).values_list("value", flat=True)


def openid_owner_ids(app_id: str, openids: QuerySet[Any, str] | None) -> QuerySet[Any, int]:
    """Ids of the members with one of these openids in this app, or (None) with any; unevaluated."""
    rows = MemberIdentity.objects.filter(kind__in=[Identity.OPENID, Identity.MINI_OPENID], app_id=app_id)
    rows = rows if openids is None else rows.filter(value__in=openids)
    return rows.values_list("member_id", flat=True)


def count_tagged(
    tag_ids: Sequence[int], members: QuerySet[Any] | None = None, at: dt.datetime | None = None
) -> dict[int, int]:
    """How many members have each tag now, in one query; `members` (an id queryset) narrows who is counted."""
    rows = MemberTag.objects.live(at or clock.now()).filter(tag_id__in=list(tag_ids))
    if members is not None:
        rows = rows.filter(member_id__in=members)
    return dict(rows.values_list("tag_id").annotate(Count("pk")))
