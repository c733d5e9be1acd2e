"""What head office's desks tell and are told."""

import dataclasses
import datetime as dt


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EffectLine:
    """How much of a metric a decision would give to a guide (or a store alone), or take, and the day it counts on."""

    guide_id: int | None
    store_id: int
    metric: str  # a MetricName
    booked_on: dt.date
    due_on: dt.date
    value: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft:
    """What a rule of attribution says. Parts are basis points that make the whole; empty conditions hold always; both
    days belong to the span."""

    name: str
    region_ids: tuple[int, ...] = ()
    dealer_ids: tuple[int, ...] = ()
    channels: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    serving_bp: int = 0
    exclusive_bp: int = 0
    sharing_bp: int = 0
    store_bp: int = 0
    crosses_owners: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProductLine:
    """One line of a file of products, by its number in the file."""

    number: int
    code: str
    name: str = ""
    category_code: str = ""
    category_name: str = ""
    brand: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProductsReport:
    """What a file of products did, or would do; `bad` are lines that were left out, with why."""

    line_count: int = 0
    new_products: int = 0
    changed_products: int = 0
    same_products: int = 0
    new_categories: int = 0
    changed_categories: int = 0
    bad: tuple[tuple[int, str], ...] = ()
