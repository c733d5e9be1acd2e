"""What may leave `members`."""

import dataclasses
import datetime as dt
from typing import Literal

IdentityKind = Literal["openid", "mini_openid", "unionid", "phone", "external_userid", "pos_card"]
PhoneProof = Literal["wechat", "wechat_sealed", "sms"]
StageKind = Literal["prospect", "member", "erased"]
SourceKind = Literal["follow", "scan", "mini_program", "pos", "import", "share"]


@dataclasses.dataclass(frozen=True, slots=True)
class MemberCard:
    """One member as any screen may show her: the phone is masked, the id is the public one."""

    id: int
    public_id: str
    code: str
    display_name: str
    is_named: bool
    stage: StageKind
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
class ProfileCard:
    """What she herself may read and change. `birthday_free_on` is the day from which she may change her
    birthday (again), None while she may."""

    member: MemberCard
    name: str
    birthday_free_on: dt.date | None
    is_complete: bool
    missing: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class RotatingCode:
    """What she shows at a till: 20 digits, good once and until `expires_at`."""

    text: str
    expires_at: dt.datetime


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
    profile_reward: int = 0


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


TierMeasure = Literal["spend", "orders", "growth"]


@dataclasses.dataclass(frozen=True, slots=True)
class TierCard:
    """One rung of the ladder. A threshold is None where the tier does not ask for that measure; `spend_fen` is
    in fen, `multiplier_bp` in basis points. The gifts are names that other apps look up."""

    id: int
    rank: int
    name: str
    color: str
    mode: Literal["any", "all"]
    spend_fen: int | None
    order_count: int | None
    growth: int | None
    multiplier_bp: int
    benefits: tuple[str, ...]
    birthday_gift: str
    upgrade_gift: str
    is_active: bool

    @property
    def thresholds(self) -> "tuple[int | None, int | None, int | None]":
        return self.spend_fen, self.order_count, self.growth

    @property
    def is_everybodys(self) -> bool:
        """Nothing has to be done for it: every member without a higher one has it."""
        return self.thresholds == (None, None, None)


@dataclasses.dataclass(frozen=True, slots=True)
class TierTerms:
    """How a rung is reached and what it is worth, as staff type it."""

    rank: int
    name: str
    color: str = "#8C8C8C"
    mode: Literal["any", "all"] = "any"
    spend_fen: int | None = None
    order_count: int | None = None
    growth: int | None = None
    multiplier_bp: int = 10_000
    benefits: str = ""
    birthday_gift: str = ""
    upgrade_gift: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class TierDecisions:
    """The chain's decisions about tiers (the columns of TierSettings)."""

    period: Literal["sliding", "year", "quarter"] = "sliding"
    period_months: int = 12
    keeping: Literal["this_period", "next_period"] = "this_period"
    grace_days: int = 0
    descent: Literal["one_step", "straight"] = "straight"
    notice_days: int = 30


@dataclasses.dataclass(frozen=True, slots=True)
class TierSums:
    """What somebody did in a span of days."""

    spend_fen: int = 0
    order_count: int = 0
    growth: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class TierGoal:
    """One measure of the next tier: what she has in the running period and what it needs (fen, orders, growth).
    Where `next_tier.mode` is "any", one goal reached is enough."""

    next_tier: TierCard
    measure: TierMeasure
    measure_label: str
    have: int
    need: int
    unit: str


@dataclasses.dataclass(frozen=True, slots=True)
class TierStanding:
    """Where a member stands: her tier (None while she has none), since when, and the day from which it holds no
    more (None when it has no end); what the next one needs; the lines of what hers gives."""

    tier: TierCard | None
    since: dt.date | None
    until: dt.date | None
    is_manual: bool
    progress: tuple[TierGoal, ...]
    benefits: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class TierChangeLine:
    """One line of a member's tier history. Tiers are None where she had none; `sums` and the half-open span they
    were taken over only where sums decided."""

    id: int
    member_id: int
    from_tier: TierCard | None
    to_tier: TierCard | None
    is_upgrade: bool
    cause: str
    cause_label: str
    note: str
    until: dt.date | None
    sums: TierSums | None
    window_from: dt.date | None
    window_until: dt.date | None
    at: dt.datetime
    actor: str


@dataclasses.dataclass(frozen=True, slots=True)
class ActivityOutcome:
    """What an entry did: her tier now, and whether she rose by it."""

    member_id: int
    tier: TierCard | None
    is_upgraded: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ReassessmentNumbers:
    """What assessing everybody by today's rules would do. `seen_count` are those with a tier or with activity."""

    seen_count: int
    risen_count: int
    fallen_count: int

    @property
    def same_count(self) -> int:
        return self.seen_count - self.risen_count - self.fallen_count


@dataclasses.dataclass(frozen=True, slots=True)
class ReassessmentCard:
    """A reassessment that staff asked for, under way or done."""

    id: int
    may_fall: bool
    is_done: bool
    seen_count: int
    risen_count: int
    fallen_count: int
    requested_at: dt.datetime
    done_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class TierRun:
    """What one run of the nightly job did."""

    ended_count: int  # tiers given by staff whose end had come
    kept_count: int
    graced_count: int
    fallen_count: int


MergeHowKind = Literal["unionid", "phone", "desk", "import"]


@dataclasses.dataclass(frozen=True, slots=True)
class MergeField:
    """One field of a merge preview: what either side has, whose value survives (`winner_id`), and why.

    `may_choose`: both have a value, not the same, and a person may decide."""

    field: str
    title: str
    survivor: str
    emptier: str
    winner_id: int
    reason: str
    may_choose: bool


@dataclasses.dataclass(frozen=True, slots=True)
class MergePart:
    """What becomes of one part of what is kept about both."""

    title: str
    lines: tuple[MergeLine, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would do: who lives on and why, field by field, and part by part."""

    survivor: MemberCard
    emptier: MemberCard
    survivor_reason: str
    fields: tuple[MergeField, ...]
    parts: tuple[MergePart, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class MergeRecordLine:
    """One merge that happened. `may_be_undone` says whether its time allows it, `days_left` for how long."""

    id: int
    survivor: MemberCard
    emptier: MemberCard
    how_label: str
    reason: str
    made_at: dt.datetime
    made_by: str
    undone_at: dt.datetime | None
    undone_by: str
    may_be_undone: bool
    days_left: int


@dataclasses.dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two living rows that look like one person, and what they have in common."""

    first: MemberCard
    second: MemberCard
    reason: str


ConsentDoorKind = Literal["mini_program", "official_account", "pos", "staff", "import", "wechat"]


@dataclasses.dataclass(frozen=True, slots=True)
class ConsentTextCard:
    """One published version, as a member is shown it."""

    kind: str
    kind_title: str
    version: int
    title: str
    body: str
    published_at: dt.datetime
    is_required: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ConsentCard:
    """What one member says to one kind now. `version` is the one she agreed to or withdrew from, None when she
    was never asked; `current_version` is what there is to agree to, None when nothing is published."""

    kind: str
    title: str
    is_required: bool
    is_agreed: bool
    version: int | None
    current_version: int | None
    changed_at: dt.datetime | None
    door_label: str
    offers_erasure: bool  # she withdrew what her data was kept on: the screen offers to erase her

    @property
    def is_pending(self) -> bool:
        """She has to be asked (again): she never answered, or agreed to an older version."""
        if self.current_version is None:
            return False
        return self.version is None or (self.is_agreed and self.version != self.current_version)


@dataclasses.dataclass(frozen=True, slots=True)
class ConsentLine:
    """One entry of her history."""

    kind: str
    title: str
    version: int
    action_label: str
    door_label: str
    at: dt.datetime
    actor: str


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """One of a few fixed values, with its words."""

    value: str
    label: str


@dataclasses.dataclass(frozen=True, slots=True)
class DataRequestCard:
    """A request for a copy of her data, or to be erased."""

    id: int
    public_id: str
    member_id: int
    kind: Literal["export", "erase"]
    state: Literal["open", "done", "withdrawn"]
    state_label: str
    asked_at: dt.datetime
    due_on: dt.date
    not_before: dt.datetime | None  # until then she may take it back
    closed_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class Erasure:
    """What erasing touched: rows by part. `is_new` is False when she had been erased before."""

    member_id: int
    is_new: bool
    counts: dict[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class ExportFile:
    """A member's own data as a file to hand over; never stored, and kept out of logs by its repr."""

    name: str
    content: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class PrivacyDecisions:
    """The chain's decisions about privacy (the columns of PrivacySettings)."""

    guide_reveals_per_hour: int
    guide_reveals_per_day: int
    staff_reveals_per_hour: int
    staff_reveals_per_day: int
    member_reveals_per_day: int
    cooling_off_days: int
    request_due_days: int
    unfollow_keep_days: int | None
    unfollow_withdraws_marketing: bool
