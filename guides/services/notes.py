"""What a guide keeps for herself about her members: notes, tags of her own, and what she calls the nameless.

Every function asks `access_member` first: only whose member she is now, or her store's manager, may write, and
each writes and reads her own rows only. When the member goes to another guide the rows stay where they are,
unreachable until she comes back. No audit entry repeats what was written.
"""

import datetime as dt

from django.db import IntegrityError, transaction

from core import audit, clock
from core.actor import Actor
from core.constraints import violated
from core.errors import NotFound
from guides.contracts import NoteLine, OwnTag
from guides.errors import MemberIsNamed, NoteUnusable, RemarkUnusable
from guides.models import GuideMemberTag, GuideNote, GuideRemark, GuideTag
from guides.selectors import access_member
from guides.selectors.notes import note_line_of
from members import selectors as member_selectors
from members import services as member_services
from members.contracts import MemberCard


def add_note(
    *,
    guide_id: int,
    public_id: str,
    text: str,
    request_key: str | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> NoteLine:
    """The guide has this note about her member. The same `request_key` again answers with the same note.

    Refuses an empty text and one above 500 characters, and a member who is not hers as an unknown one.
    """
    at, text = at or clock.now(), _usable_text(text)
    member = access_member(guide_id=guide_id, public_id=public_id)
    key = (request_key or "").replace("\0", "")[:40] or None
    try:
        with transaction.atomic():
            note = GuideNote.objects.create(
                guide_id=guide_id, member_id=member.id, text=text, created_at=at, request_key=key
            )
            audit.record(action="guides.note_added", subject=note, actor=actor, at=at, member_id=member.id)
    except IntegrityError as error:
        if violated(error) != "guidenote_once_per_request":
            raise
        note = GuideNote.objects.get(guide_id=guide_id, request_key=key)
        if note.member_id != member.id:
            raise NotFound from None
    return note_line_of(note)


def edit_note(
    *, guide_id: int, public_id: str, note_id: int, text: str, actor: Actor, at: dt.datetime | None = None
) -> NoteLine:
    """The guide's note says this now. Refuses what `add_note` refuses, and a note that is not hers."""
    at, text = at or clock.now(), _usable_text(text)
    with transaction.atomic():
        note = _lock_note(guide_id, public_id, note_id)
        if note.removed_at is not None:
            raise NotFound
        if note.text != text:
            note.text, note.edited_at = text, at
            note.save(update_fields=["text", "edited_at"])
            audit.record(action="guides.note_edited", subject=note, actor=actor, at=at)
    return note_line_of(note)


def remove_note(
    *, guide_id: int, public_id: str, note_id: int, actor: Actor, at: dt.datetime | None = None
) -> None:
    """The guide sees the note no more. Twice is once. Refuses a note that is not hers as an unknown one."""
    at = at or clock.now()
    with transaction.atomic():
        note = _lock_note(guide_id, public_id, note_id)
        if note.removed_at is None:
            note.removed_at = at
            note.save(update_fields=["removed_at"])
            audit.record(action="guides.note_removed", subject=note, actor=actor, at=at)


def restore_note(
    *, guide_id: int, public_id: str, note_id: int, actor: Actor, at: dt.datetime | None = None
) -> None:
    """A note that the guide deleted is back, as it was."""
    with transaction.atomic():
        note = _lock_note(guide_id, public_id, note_id)
        if note.removed_at is not None:
            note.removed_at = None
            note.save(update_fields=["removed_at"])
            audit.record(action="guides.note_restored", subject=note, actor=actor, at=at)


def tag_privately(
    *, guide_id: int, public_id: str, name: str, actor: Actor, at: dt.datetime | None = None
) -> OwnTag:
    """Her member has this tag of the guide's own, which is made when she has none of that name.

    Twice is once, also at the same moment. Refuses an unusable name (1 to 20 characters).
    """
    at, name = at or clock.now(), member_services.usable_tag_name(name)
    member = access_member(guide_id=guide_id, public_id=public_id)
    with transaction.atomic():
        tag, _made = GuideTag.objects.get_or_create(guide_id=guide_id, name=name)
        _row, given = GuideMemberTag.objects.get_or_create(
            tag=tag, member_id=member.id, defaults={"tagged_at": at}
        )
        if given:
            audit.record(
                action="guides.private_tag_given", subject=tag, actor=actor, at=at, member_id=member.id
            )
    return OwnTag(id=tag.pk, name=tag.name)


def untag_privately(
    *, guide_id: int, public_id: str, tag_id: int, actor: Actor, at: dt.datetime | None = None
) -> OwnTag:
    """Her member has this tag of the guide's own no more. Refuses a tag that is not hers as an unknown one."""
    member = access_member(guide_id=guide_id, public_id=public_id)
    tag = GuideTag.objects.filter(pk=tag_id, guide_id=guide_id).first()
    if tag is None:
        raise NotFound
    with transaction.atomic():
        gone, _kinds = GuideMemberTag.objects.filter(tag=tag, member_id=member.id).delete()
        if gone:
            audit.record(
                action="guides.private_tag_taken", subject=tag, actor=actor, at=at, member_id=member.id
            )
    return OwnTag(id=tag.pk, name=tag.name)


def remark_member(
    *, guide_id: int, public_id: str, name: str, actor: Actor, at: dt.datetime | None = None
) -> MemberCard:
    """The guide calls her nameless member this; the empty name takes it back.

    Refuses a member who has told her name (it is shown instead), and a name above 20 characters.
    """
    member = access_member(guide_id=guide_id, public_id=public_id)
    if member.is_named and not member.is_remarked:
        raise MemberIsNamed
    name = " ".join("".join(character for character in name if character.isprintable()).split())
    if len(name) > 20:
        raise RemarkUnusable(field="name")
    with transaction.atomic():
        if name:
            remark, _made = GuideRemark.objects.update_or_create(
                guide_id=guide_id,
                member_id=member.id,
                defaults=member_services.name_columns(name),
            )
            audit.record(
                action="guides.member_remarked", subject=remark, actor=actor, at=at, member_id=member.id
            )
        else:
            GuideRemark.objects.filter(guide_id=guide_id, member_id=member.id).delete()
    return access_member(guide_id=guide_id, public_id=public_id)


def move_notes(*, from_member_id: int) -> int:
    """What guides keep about a merged row is about the member it lives on in; how many rows moved.

    Where a guide has called or tagged both, the survivor's stays. Repeating it changes nothing.
    """
    with transaction.atomic():
        into_id = member_selectors.list_merge_targets([from_member_id]).get(from_member_id)
        if into_id is None or into_id == from_member_id:
            return 0
        member_services.lock_members([from_member_id, into_id])
        moved = GuideNote.objects.filter(member_id=from_member_id).update(member_id=into_id)
        tags = GuideMemberTag.objects.filter(member_id=into_id).values("tag_id")
        GuideMemberTag.objects.filter(member_id=from_member_id, tag_id__in=tags).delete()
        moved += GuideMemberTag.objects.filter(member_id=from_member_id).update(member_id=into_id)
        named = GuideRemark.objects.filter(member_id=into_id).values("guide_id")
        GuideRemark.objects.filter(member_id=from_member_id, guide_id__in=named).delete()
        return moved + GuideRemark.objects.filter(member_id=from_member_id).update(member_id=into_id)


def _usable_text(text: str) -> str:
    """The text with its line breaks and without other control characters. Raises NoteUnusable."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(character for character in lines if character.isprintable() or character == "\n").strip()
    if not 1 <= len(kept) <= 500:
        raise NoteUnusable(field="text")
    return kept


def _lock_note(guide_id: int, public_id: str, note_id: int) -> GuideNote:
    member = access_member(guide_id=guide_id, public_id=public_id)
    notes = GuideNote.objects.filter(pk=note_id, guide_id=guide_id, member_id=member.id).lock_rows()
    if not notes:
        raise NotFound
    return notes[0]
