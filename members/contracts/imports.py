"""Members from files."""

import dataclasses
import datetime as dt
from typing import Literal

from core.imports.contracts import FileCard
from members.contracts.people import MemberCard, SourceKind


@dataclasses.dataclass(frozen=True, slots=True)
class MemberImport:
    """One person taken over from another system. A phone makes her a member, none leaves her a prospect;
    `openid` is her name in the official account the import is for."""

    registered_at: dt.datetime
    source: SourceKind
    name: str = ""
    phone: str = ""
    gender: Literal["", "female", "male"] = ""
    birthday: dt.date | None = None
    openid: str = ""
    source_scene: str = ""
    is_following: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class ImportCounts:
    """What an import would do or did, in rows; `filled` and `unchanged` are rows of members who were there."""

    created: int = 0
    filled: int = 0
    unchanged: int = 0
    repeated: int = 0  # a row of somebody whom an earlier row of the file made
    candidates: int = 0
    known: int = 0  # waits or was put aside in an earlier import already


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImportCard(FileCard[ImportCounts]):
    """One import as the desk shows it; its counts are rows."""

    waiting_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class CandidateCard:
    """A row of a file beside the member it may be, value by value under the same titles; `others` are the ids of
    further members the same row may be."""

    id: int
    job_id: int
    line: int
    why: str
    why_label: str
    member: MemberCard
    titles: tuple[str, ...]
    row: tuple[str, ...]
    hers: tuple[str, ...]
    others: tuple[int, ...] = ()
