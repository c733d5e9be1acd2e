"""Tables of `sales`."""

from sales.models.attribution import (
    WHOLE_BP,
    Attribution,
    AttributionRule,
    AttributionShare,
    ShareRole,
)
from sales.models.boards import (
    BoardFreeze,
    FrozenPeriod,
    FrozenPlace,
    FrozenSubject,
    PlaceStore,
    PlaceTotal,
    ScopeKind,
)
from sales.models.catalog import Category, Product
from sales.models.documents import (
    HeldDocument,
    HeldState,
    Sale,
    SaleCoupon,
    SaleLine,
    SalePayment,
    SaleReturn,
    SaleReturnLine,
)
from sales.models.ledger import (
    FACT_REASONS,
    EntryReason,
    GuideTotal,
    Metric,
    PerformanceEntry,
    Period,
    PeriodClose,
    StoreTotal,
)
from sales.models.targets import (
    TARGET_METRICS,
    Target,
    TargetChange,
    TargetOrigin,
    TargetSettings,
)

__all__ = [
    "FACT_REASONS",
    "TARGET_METRICS",
    "WHOLE_BP",
    "Attribution",
    "AttributionRule",
    "AttributionShare",
    "BoardFreeze",
    "Category",
    "EntryReason",
    "FrozenPeriod",
    "FrozenPlace",
    "FrozenSubject",
    "GuideTotal",
    "HeldDocument",
    "HeldState",
    "Metric",
    "PerformanceEntry",
    "Period",
    "PeriodClose",
    "PlaceStore",
    "PlaceTotal",
    "Product",
    "Sale",
    "SaleCoupon",
    "SaleLine",
    "SalePayment",
    "SaleReturn",
    "SaleReturnLine",
    "ScopeKind",
    "ShareRole",
    "StoreTotal",
    "Target",
    "TargetChange",
    "TargetOrigin",
    "TargetSettings",
]
