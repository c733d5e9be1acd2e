"""Tables of `sales`."""

from sales.models.attribution import (
    WHOLE_BP,
    Attribution,
    AttributionRule,
    AttributionShare,
    ShareRole,
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

__all__ = [
    "FACT_REASONS",
    "WHOLE_BP",
    "Attribution",
    "AttributionRule",
    "AttributionShare",
    "Category",
    "EntryReason",
    "GuideTotal",
    "HeldDocument",
    "HeldState",
    "Metric",
    "PerformanceEntry",
    "Period",
    "PeriodClose",
    "Product",
    "Sale",
    "SaleCoupon",
    "SaleLine",
    "SalePayment",
    "SaleReturn",
    "SaleReturnLine",
    "ShareRole",
    "StoreTotal",
]
