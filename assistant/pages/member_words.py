"""What a guide says of a member: tags, her own notes, what she calls her; and the dialogs to change it."""

import dataclasses
import datetime as dt
import json
from itertools import groupby
from typing import Literal

from django.utils.translation import gettext as _

from assistant import phrases
from core import clock
from core.actor import Actor
from guides import selectors as guide_selectors
from guides.contracts import GuideCard, NoteLine, OwnTag
from members import selectors as member_selectors
from members import services as member_services
from members.contracts import MemberCard, MemberTagLine, TagCard

TagKind = Literal["chain", "own"]


@dataclasses.dataclass(frozen=True, slots=True)
class Chip:
    """One tag; in the dialog it is on or off."""

    id: int
    kind: TagKind
    name: str
    is_on: bool = True
    until_text: str = ""  # 3月8日到期
    is_ruled: bool = False  # comes and goes by itself

    @property
    def url_name(self) -> str:
        """Where a tap in the dialog goes."""
        return "assistant:member-tag-remove" if self.is_on else "assistant:member-tag-add"

    @property
    def sent(self) -> str:
        """What a tap in the dialog sends, as JSON."""
        if self.kind == "own" and not self.is_on:
            return json.dumps({"name": self.name})
        return json.dumps({"kind": self.kind, "tag": str(self.id)})


@dataclasses.dataclass(frozen=True, slots=True)
class ChipGroup:
    """Tags under one heading."""

    title: str
    hint: str
    chips: tuple[Chip, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class TagSection:
    """The tags on the member's page."""

    public_id: str
    groups: tuple[ChipGroup, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Note:
    key: str  # its id, as forms send it
    text: str
    when_text: str


@dataclasses.dataclass(frozen=True, slots=True)
class NoteSection:
    """Her own notes on the member's page."""

    public_id: str
    notes: tuple[Note, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class TagSheet:
    """The dialog: what may be given, narrowed by what was typed; `new_name` may be made her own tag."""

    public_id: str
    name: str
    query: str
    groups: tuple[ChipGroup, ...]
    new_name: str

    @property
    def new_sent(self) -> str:
        """What making the new tag sends, as JSON."""
        return json.dumps({"name": self.new_name})


@dataclasses.dataclass(frozen=True, slots=True)
class NoteSheet:
    public_id: str
    name: str
    note_id: int  # 0 for a new one
    text: str
    request_key: str


@dataclasses.dataclass(frozen=True, slots=True)
class RemarkSheet:
    public_id: str
    name: str  # what she is called now, empty when nothing


@dataclasses.dataclass(frozen=True, slots=True)
class Undo:
    """The way back from what was just done: where to post, and what."""

    url_name: str
    public_id: str
    fields: tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """What a change answers with: its parts of the page, a sentence, and the way back where there is one."""

    text: str
    undo: Undo | None = None
    tags: TagSection | None = None
    sheet: TagSheet | None = None
    notes: NoteSection | None = None


def guide_actor(guide: GuideCard) -> Actor:
    """The guide as the doer; with her number, because two may have one name."""
    return Actor.guide(guide.id, f"{guide.name} {guide.number}")


def build_tag_section(guide: GuideCard, member: MemberCard, *, now: dt.datetime | None = None) -> TagSection:
    """The chain's tags of hers by group, then this guide's own."""
    now = now or clock.now()
    today = clock.business_day(now)
    lines = member_selectors.list_member_tags(member.id, at=now)
    own = guide_selectors.list_own_member_tags(guide_id=guide.id, member_id=member.id)
    groups = [
        ChipGroup(title, "", tuple(_chip(line, today) for line in found))
        for title, found in groupby(lines, key=lambda line: line.tag.group.name)
    ]
    if own:
        groups.append(ChipGroup(_("我的标签"), _("仅您可见"), tuple(_own_chip(tag) for tag in own)))
    return TagSection(member.public_id, tuple(groups))


def build_note_section(
    guide: GuideCard, member: MemberCard, *, now: dt.datetime | None = None
) -> NoteSection:
    """This guide's notes about the member, newest first."""
    now = now or clock.now()
    notes = guide_selectors.list_notes(guide_id=guide.id, member_id=member.id)
    return NoteSection(member.public_id, tuple(_note(note, now) for note in notes))


def build_tag_sheet(guide: GuideCard, member: MemberCard, *, query: str = "") -> TagSheet:
    """All tags that may be given, those found by `query` (part of the name, pinyin or initials), on or off."""
    hers = [line.tag for line in member_selectors.list_member_tags(member.id)]
    on = {tag.id for tag in hers}
    mine_on = {tag.id for tag in guide_selectors.list_own_member_tags(guide_id=guide.id, member_id=member.id)}
    tags = member_selectors.list_givable_tags()
    own = guide_selectors.list_own_tags(guide.id)
    groups: list[ChipGroup] = []
    if not query:
        recent = _recent(guide, tags)
        if recent:
            groups.append(ChipGroup(_("最近用过"), "", _switches(recent, on)))
    found = [tag for tag in tags if _matches(tag.name, query)]
    for group, members in groupby(found, key=lambda tag: tag.group):
        hint = _("选一个") if group.is_exclusive else ""
        groups.append(ChipGroup(group.name, hint, _switches(list(members), on)))
    retired = [tag for tag in hers if not tag.is_active and _matches(tag.name, query)]
    if retired:
        groups.append(ChipGroup(_("已停用的标签"), _("只能去掉"), _switches(retired, on)))
    mine = tuple(_own_chip(tag, is_on=tag.id in mine_on) for tag in own if _matches(tag.name, query))
    if mine:
        groups.append(ChipGroup(_("我的标签"), _("仅您可见"), mine))
    names = {tag.name for tag in tags} | {tag.name for tag in own}
    new_name = query[:20] if query and query not in names else ""
    return TagSheet(member.public_id, member.display_name, query, tuple(groups), new_name)


def _recent(guide: GuideCard, tags: tuple[TagCard, ...]) -> list[TagCard]:
    by_id = {tag.id: tag for tag in tags}
    doer = member_services.tag_doer(guide_actor(guide))
    return [by_id[key] for key in member_selectors.list_recent_tag_ids(doer) if key in by_id]


def _switches(tags: list[TagCard], on: set[int]) -> tuple[Chip, ...]:
    return tuple(Chip(tag.id, "chain", tag.name, tag.id in on) for tag in tags)


def _matches(name: str, query: str) -> bool:
    text = query.lower()
    return text in name.lower() or text.replace(" ", "") in member_selectors.pinyin_of(name)


def _chip(line: MemberTagLine, today: dt.date) -> Chip:
    until = ""
    if line.expires_at is not None:
        until = _("%(day)s到期") % {"day": phrases.say_day(clock.business_day(line.expires_at), today=today)}
    return Chip(line.tag.id, "chain", line.tag.name, until_text=until, is_ruled=line.tag.is_ruled)


def _own_chip(tag: OwnTag, *, is_on: bool = True) -> Chip:
    return Chip(tag.id, "own", tag.name, is_on)


def _note(note: NoteLine, now: dt.datetime) -> Note:
    when = phrases.say_time(note.created_at, now=now)
    if note.edited_at is not None:
        when = _("%(when)s写，%(edited)s改") % {
            "when": when,
            "edited": phrases.say_time(note.edited_at, now=now),
        }
    return Note(str(note.id), note.text, when)
