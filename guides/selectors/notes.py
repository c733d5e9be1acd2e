"""What a guide keeps for herself about her members; every read names whose."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from core.compiled import Given, compiled
from core.errors import NotFound
from guides.contracts import NoteLine, OwnTag
from guides.models import GuideMemberTag, GuideNote, GuideRemark, GuideTag
from members import selectors as member_selectors


def note_line_of(note: GuideNote) -> NoteLine:
    """The note for its writer."""
    return NoteLine(id=note.pk, text=note.text, created_at=note.created_at, edited_at=note.edited_at)


def list_notes(*, guide_id: int, member_id: int) -> tuple[NoteLine, ...]:
    """Her own notes about a member, the newest first."""
    return tuple(note_line_of(note) for note in _notes(guide_id=guide_id, member_id=member_id))


@compiled
def _notes(*, guide_id: Given, member_id: Given) -> QuerySet[GuideNote]:
    notes = GuideNote.objects.kept().filter(guide_id=guide_id, member_id=member_id)
    return notes.order_by("-created_at", "-pk")[:100]


def get_note(*, guide_id: int, member_id: int, note_id: int) -> NoteLine:
    """One of them. Raises NotFound also for a note of somebody else."""
    note = GuideNote.objects.kept().filter(pk=note_id, guide_id=guide_id, member_id=member_id).first()
    if note is None:
        raise NotFound
    return note_line_of(note)


def list_own_tags(guide_id: int) -> tuple[OwnTag, ...]:
    """The tags she made up."""
    tags = GuideTag.objects.filter(guide_id=guide_id).order_by("name")
    return tuple(OwnTag(id=tag.pk, name=tag.name) for tag in tags[:200])


def get_own_tag(*, guide_id: int, tag_id: int) -> OwnTag:
    """One of them. Raises NotFound also for a tag of somebody else."""
    tag = GuideTag.objects.filter(pk=tag_id, guide_id=guide_id).first()
    if tag is None:
        raise NotFound
    return OwnTag(id=tag.pk, name=tag.name)


def list_own_member_tags(*, guide_id: int, member_id: int) -> tuple[OwnTag, ...]:
    """Which of her own tags a member has."""
    return tuple(OwnTag(*row) for row in _own_tags_of(guide_id=guide_id, member_id=member_id))


@compiled
def _own_tags_of(*, guide_id: Given, member_id: Given) -> QuerySet[GuideMemberTag, tuple[int, str]]:
    rows = GuideMemberTag.objects.filter(tag__guide_id=guide_id, member_id=member_id)
    return rows.order_by("tag__name").values_list("tag_id", "tag__name")


def remarks_of(guide_id: int, member_ids: Iterable[int]) -> dict[int, str]:
    """What she calls these members, in one query."""
    remarks = GuideRemark.objects.filter(guide_id=guide_id, member_id__in=list(member_ids))
    return dict(remarks.values_list("member_id", "name"))


def remarked_member_ids(guide_id: int, query: str) -> QuerySet[Any, int]:
    """Members whom she calls so, by an end of the name, its pinyin or initials; unevaluated."""
    tokens = member_selectors.typed_tokens(query.replace("\0", "")[:40])
    return GuideRemark.objects.filter(guide_id=guide_id, name_tokens__overlap=tokens).values_list(
        "member_id", flat=True
    )


def own_tagged_member_ids(*, guide_id: int, tag_id: int) -> QuerySet[Any, int]:
    """Members with one of her own tags; nobody for a tag of somebody else. Unevaluated."""
    rows = GuideMemberTag.objects.filter(tag__guide_id=guide_id, tag_id=tag_id)
    return rows.values_list("member_id", flat=True)
