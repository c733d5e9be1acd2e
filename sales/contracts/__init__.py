"""What may enter and leave `sales`."""

import dataclasses
import datetime as dt
from typing import Literal

from sales.contracts.desks import EffectLine as EffectLine
from sales.contracts.desks import ProductLine as ProductLine
from sales.contracts.desks import ProductsReport as ProductsReport
from sales.contracts.desks import RuleDraft as RuleDraft
from sales.contracts.facts import Fact as Fact
from sales.contracts.facts import FactKindName as FactKindName
from sales.contracts.facts import FactLine as FactLine
from sales.contracts.facts import FactLines as FactLines
from sales.contracts.facts import FactNote as FactNote
from sales.contracts.intake import IntakeCard as IntakeCard
from sales.contracts.intake import IntakeCounts as IntakeCounts
from sales.contracts.own import OwnCoupon as OwnCoupon
from sales.contracts.own import OwnGoods as OwnGoods
from sales.contracts.own import OwnOrder as OwnOrder
from sales.contracts.own import OwnOrderCard as OwnOrderCard
from sales.contracts.own import OwnOrderPage as OwnOrderPage
from sales.contracts.own import OwnPayment as OwnPayment
from sales.contracts.own import OwnReturn as OwnReturn
from sales.contracts.rfm import PurchasePortrait as PurchasePortrait
from sales.contracts.rfm import RfmCell as RfmCell
from sales.contracts.rfm import RfmGroupLine as RfmGroupLine
from sales.contracts.rfm import RfmPreview as RfmPreview
from sales.contracts.rfm import RfmQuantiles as RfmQuantiles
from sales.contracts.rfm import RfmRules as RfmRules
from sales.contracts.rfm import RunReport as RunReport
from sales.contracts.rfm import VisitReason as VisitReason
from sales.contracts.told import CatalogOutcome as CatalogOutcome
from sales.contracts.told import CategoryEntry as CategoryEntry
from sales.contracts.told import CouponNote as CouponNote
from sales.contracts.told import ProductEntry as ProductEntry
from sales.contracts.told import ToldOrder as ToldOrder
from sales.contracts.whose import AttributionCard as AttributionCard
from sales.contracts.whose import EntryLine as EntryLine
from sales.contracts.whose import GoodsLine as GoodsLine
from sales.contracts.whose import ReturnNote as ReturnNote
from sales.contracts.whose import SaleCard as SaleCard
from sales.contracts.whose import SaleLines as SaleLines
from sales.contracts.whose import SaleOfMine as SaleOfMine
from sales.contracts.whose import Share as Share
from sales.contracts.whose import ShareLine as ShareLine
from sales.contracts.whose import ShareRoleName as ShareRoleName

DocumentKind = Literal["order", "return"]
MemberKeyKind = Literal["phone", "pos_card", "member_code", "unionid", "openid", "mini_openid"]
OutcomeName = Literal["booked", "repeated", "corrected", "superseded", "held", "refused"]
MetricName = Literal[
    "sales_fen",
    "order_count",
    "unit_count",
    "return_fen",
    "return_count",
    "first_purchase_count",
    "repurchase_fen",
    "new_member_count",
    "new_binding_count",
    "redemption_count",
    "share_count",
    "task_count",
]


@dataclasses.dataclass(frozen=True, slots=True)
class MemberKey:
    """How a document names a member. `app_id` belongs to openids only."""

    kind: MemberKeyKind
    value: str
    app_id: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """Goods on an order. `list_fen` is the price before, `amount_fen` after every discount, both of the whole line."""

    product_code: str
    quantity: int
    list_fen: int
    amount_fen: int
    product_name: str = ""
    category_code: str = ""
    category_name: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class OrderPayment:
    method: str
    amount_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class OrderCoupon:
    """A coupon the order was paid with. `amount_fen` is the price of the lines it counts for, before the discount."""

    code: str
    discount_fen: int
    amount_fen: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OrderDocument:
    """One order as a till, shop or file tells it. A higher `revision` corrects a lower one."""

    source: str
    order_no: str
    sold_at: dt.datetime
    store_code: str
    channel: str
    lines: tuple[OrderLine, ...]
    amount_fen: int
    revision: int = 0
    member: MemberKey | None = None
    serving_guide: str = ""  # numbers of guides
    sharing_guide: str = ""
    payments: tuple[OrderPayment, ...] = ()
    coupons: tuple[OrderCoupon, ...] = ()
    points_spent: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReturnLine:
    """Goods that came back. `line_number` counts the order's lines from 1; a return without its order names none."""

    product_code: str
    quantity: int
    amount_fen: int
    line_number: int | None = None
    product_name: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReturnDocument:
    """Goods that came back. `order_no` empty: nobody knows the order."""

    source: str
    return_no: str
    returned_at: dt.datetime
    store_code: str
    lines: tuple[ReturnLine, ...]
    amount_fen: int
    order_no: str = ""
    member: MemberKey | None = None
    serving_guide: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class DocumentOutcome:
    """What became of one document. A `held` one is kept with its reason and tried again; a `refused` one cannot be
    read and is not kept."""

    kind: DocumentKind
    source: str
    number: str
    outcome: OutcomeName
    reason: str = ""  # the code of a refusal
    field: str = ""
    sale_id: int | None = None
    return_id: int | None = None


BoardSubject = Literal["guide", "store", "region", "dealer"]
PeriodName = Literal["day", "week", "month", "quarter", "year", "range"]


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """A stretch of Shanghai days, half-open."""

    starts_on: dt.date
    ends_on: dt.date
    name: PeriodName = "range"


@dataclasses.dataclass(frozen=True, slots=True)
class BoardScope:
    """Which part of the chain a board is about: these stores, a region with all below it, a dealer's stores; at most
    one of the three, and none for the whole chain. Regions are ranked among those directly below `region_id`."""

    store_ids: tuple[int, ...] | None = None
    region_id: int | None = None
    dealer_id: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class BoardLine:
    """One place on a board. Equal values share a rank; `moved` is how many places better than in the period before
    (None: she had none, or nobody asked)."""

    rank: int
    subject_id: int
    value: int
    moved: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """The first places, how many there are, and hers who asks: `gap` is what she lacks to the next value above;
    `neighbours` stand around her, the better ones first."""

    lines: tuple[BoardLine, ...]
    ranked_count: int | None  # None: nobody asked
    own: BoardLine | None
    gap: int | None
    neighbours: tuple[BoardLine, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Board:
    """A standing with what the period before says of it. `frozen_at`: the period is closed, and this is how it
    stood then."""

    metric: MetricName
    span: Span
    lines: tuple[BoardLine, ...]
    ranked_count: int
    own: BoardLine | None
    gap: int | None
    neighbours: tuple[BoardLine, ...]
    frozen_at: dt.datetime | None = None


TargetKind = Literal["region", "store", "guide"]
TargetOriginName = Literal["hand", "file", "split"]


@dataclasses.dataclass(frozen=True, slots=True)
class TargetKey:
    """Whom a target is for: a region with all below it, a store, or a guide wherever she sells."""

    kind: TargetKind
    subject_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class TargetEntry:
    """What one subject is to reach: fen, or pieces where the metric counts them; None takes the target back."""

    key: TargetKey
    value: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class TargetProgress:
    """Where one subject stands in one month; fen, or pieces where the metric counts them. `target_value` None:
    nobody set one, and what rests on it is None too.

    `expected_value` is the part of the target that the days before today were to bring, by the weekday pattern;
    `forecast_value` what the month will end with if it goes on like this; `daily_value` what a day brought so far,
    `needed_daily_value` what each day that is left, today with it, must bring.
    """

    key: TargetKey
    month_on: dt.date
    metric: MetricName
    target_value: int | None
    done_value: int
    expected_value: int | None
    forecast_value: int
    attainment_bp: int | None
    forecast_bp: int | None
    daily_value: int
    needed_daily_value: int | None
    days_left: int  # with today; 0 when the month is over

    @property
    def gap_value(self) -> int | None:
        """What is missing to the target; 0 when it is reached."""
        return None if self.target_value is None else max(0, self.target_value - self.done_value)


@dataclasses.dataclass(frozen=True, slots=True)
class SplitLine:
    """What one child of a split gets. `was_value` is what stands now; a fixed one keeps it."""

    key: TargetKey
    parent: TargetKey
    weight: int
    value: int
    was_value: int | None
    is_fixed: bool


@dataclasses.dataclass(frozen=True, slots=True)
class SplitPlan:
    """A target dealt to those below, as it would be saved. `digest` names exactly this plan."""

    key: TargetKey
    month_on: dt.date
    metric: MetricName
    value: int
    shape: Literal["last_year", "recent", "equal"]  # what the first level was weighed by
    lines: tuple[SplitLine, ...]
    digest: str


@dataclasses.dataclass(frozen=True, slots=True)
class TargetChangeLine:
    """One change of a target."""

    at: dt.datetime
    made_by: str
    origin_label: str
    from_value: int | None
    to_value: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class EffectiveLine:
    """A guide with her orders of a period, and whether they are enough."""

    guide_id: int
    number: str
    name: str
    store_id: int
    order_count: int
    is_effective: bool


@dataclasses.dataclass(frozen=True, slots=True)
class EffectiveGuides:
    """Who of the guides that worked in a week or month sold enough orders (有效导购)."""

    span: Span
    needed_count: int
    lines: tuple[EffectiveLine, ...]

    @property
    def effective_count(self) -> int:
        return sum(line.is_effective for line in self.lines)

    @property
    def share_bp(self) -> int:
        return self.effective_count * 10_000 // len(self.lines) if self.lines else 0


@dataclasses.dataclass(frozen=True, slots=True)
class CommissionLineCard:
    """One line of a statement, explained. `original_month_on` is the month whose line it takes back."""

    kind: Literal["sale", "return", "bounty", "target", "claw_back", "correction"]
    kind_label: str
    day_on: dt.date
    sale_id: int | None
    document_no: str
    store_name: str
    category_name: str
    share_bp: int
    base_fen: int
    unit_count: int
    rate_bp: int
    fen: int
    rule_words: str
    original_month_on: dt.date | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CommissionSummary:
    """What a guide earned in a month, in fen: earned + bonus + clawed back + carried in = payable + carried out.
    `id` None: computed from the ledger of now, the month is open."""

    id: int | None
    month_on: dt.date
    state: Literal["open", "preparing", "prepared", "closed", "discarding", "reopening"]
    guide_id: int
    guide_number: str
    guide_name: str
    store_id: int
    store_name: str
    sales_fen: int = 0
    earned_fen: int = 0
    bonus_fen: int = 0
    clawed_back_fen: int = 0
    carried_in_fen: int = 0
    payable_fen: int = 0
    carried_out_fen: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class CommissionCard:
    """A statement with every line."""

    summary: CommissionSummary
    lines: tuple[CommissionLineCard, ...]
