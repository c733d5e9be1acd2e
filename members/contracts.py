"""What may leave `members`."""

import dataclasses
import datetime as dt
from typing import Literal

IdentityKind = Literal["openid", "mini_openid", "unionid", "phone", "external_userid", "pos_card"]
SourceKind = Literal["follow", "scan", "mini_program", "pos", "import", "share"]


@dataclasses.dataclass(frozen=True, slots=True)
class MemberCard:
    """One member as any screen may show her: the phone is masked, the id is the public one."""

    id: int
    public_id: str
    code: str
    display_name: str
    is_named: bool
    stage: Literal["prospect", "member"]
    stage_label: str
    masked_phone: str
    gender: str
    birthday: dt.date | None
    is_following: bool
    source_label: str
    registered_at: dt.datetime
    is_remarked: bool = False  # the name is one that the guide who looks gave her


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


@dataclasses.dataclass(frozen=True, slots=True)
class ImportColumn:
    """One column of a file: its heading, what it is read as ("" for nothing), and its first cells."""

    index: int
    heading: str
    target: str
    samples: tuple["ImportSample", ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class ImportSample:
    """One cell as it stands and as it is read; `problem` says why it cannot be."""

    text: str
    reading: str
    problem: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class ImportCard:
    """One import as the desk shows it. `rate` is rows a second, `seconds_left` None while nobody can tell."""

    id: int
    public_id: str
    file_name: str
    state: str
    state_label: str
    failure: str
    is_file_there: bool
    total_count: int
    done_count: int
    bad_count: int
    waiting_count: int
    expected: ImportCounts
    counts: ImportCounts
    rate: float
    seconds_left: int | None
    created_at: dt.datetime
    ended_at: dt.datetime | None


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


TagOriginKind = Literal["manual", "rule", "import"]


@dataclasses.dataclass(frozen=True, slots=True)
class TagGroupCard:
    """A group of tags; of an exclusive one a member has at most one tag."""

    id: int
    name: str
    is_exclusive: bool


@dataclasses.dataclass(frozen=True, slots=True)
class TagCard:
    """One tag of the chain, with its group."""

    id: int
    name: str
    group: TagGroupCard
    is_active: bool


@dataclasses.dataclass(frozen=True, slots=True)
class MemberTagLine:
    """A tag that a member has now."""

    tag: TagCard
    tagged_at: dt.datetime
    tagged_by: str
    origin_label: str
    expires_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class Tagging:
    """What tagging did, or would do: members who got the tag, who had it, who lost another of its group."""

    tagged_count: int
    had_count: int
    replaced_count: int


PointsKind = Literal["earn", "spend", "expire", "reverse", "adjust", "freeze", "release"]


@dataclasses.dataclass(frozen=True, slots=True)
class PointsEntryLine:
    """One line of her ledger. `shortfall` is what a return asked for and did not find."""

    id: int
    kind: PointsKind
    kind_label: str
    delta: int
    shortfall: int
    balance_after: int
    reason: str
    source_key: str
    at: dt.datetime
    actor: str


@dataclasses.dataclass(frozen=True, slots=True)
class PointsChange:
    """What a request did. `entry` is None while a return waits for the entry it undoes."""

    member_id: int
    balance: int
    frozen: int
    entry: PointsEntryLine | None

    @property
    def is_pending(self) -> bool:
        return self.entry is None


@dataclasses.dataclass(frozen=True, slots=True)
class PointsSummary:
    """Her points now. `balance` is negative when she owes; `expiring` go at the end of `expires_on`, the next
    day on which any do."""

    balance: int
    frozen: int
    expiring: int
    expires_on: dt.date | None


@dataclasses.dataclass(frozen=True, slots=True)
class PointsEntryPage:
    """One page of her ledger, newest first; `next_cursor` opens the following one."""

    lines: tuple[PointsEntryLine, ...]
    next_cursor: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class PointsDecisions:
    """The chain's decisions about points (the columns of PointsSettings)."""

    expiry_months: int | None
    shortage_policy: Literal["forgive", "debt", "refuse"]
    notice_days: int
    approval_limit: int


@dataclasses.dataclass(frozen=True, slots=True)
class EarningLine:
    """One line of a sale: money paid, in fen, for goods of a category."""

    category: str
    amount_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class EarningRuleCard:
    """How money becomes points: `fen_per_point` fen make one, times `multiplier_bp` / 10,000."""

    id: int
    name: str
    category: str
    fen_per_point: int
    multiplier_bp: int
    priority: int


@dataclasses.dataclass(frozen=True, slots=True)
class MultiplierCard:
    """A multiplier that holds on the day in question, if the birthday fits where it asks for one."""

    name: str
    kind: Literal["dated", "birthday", "birthday_month"]
    multiplier_bp: int


@dataclasses.dataclass(frozen=True, slots=True)
class QuotedPart:
    """What one rule made of the money it covers."""

    rule_name: str
    amount_fen: int
    points: int


@dataclasses.dataclass(frozen=True, slots=True)
class QuotedPoints:
    """What a sale would earn, and why. Money no rule covers is in `unearning_fen`."""

    points: int
    parts: tuple[QuotedPart, ...]
    multiplier_bp: int
    multiplier_name: str
    unearning_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class ExpiryRun:
    """What one run of the expiry job did."""

    account_count: int
    points: int


@dataclasses.dataclass(frozen=True, slots=True)
class AdjustmentCard:
    """An adjustment: in effect, waiting for a second person, or rejected."""

    id: int
    member_id: int
    delta: int
    state: Literal["requested", "approved", "rejected"]
    entry_id: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class MergeLine:
    """One line of a merge preview: what either side has, what will be, and why."""

    title: str
    survivor: str
    emptier: str
    outcome: str
    reason: str = ""
