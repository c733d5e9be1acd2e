"""What `sales` announces: ids only."""

import dataclasses

from core.events import Event


@dataclasses.dataclass(frozen=True, slots=True)
class SaleRecorded(Event):
    """An order was booked; `member_id` is 0 when it names nobody."""

    sale_id: int
    member_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class SaleCorrected(Event):
    """A higher revision of an order took the place of an earlier one."""

    sale_id: int
    replaced_sale_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class ReturnRecorded(Event):
    """Goods came back; `sale_id` is 0 for a return without its order."""

    return_id: int
    sale_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class SaleReattributed(Event):
    sale_id: int
    attribution_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class DeskJobStarted(Event):
    """Work over many rows waits for a worker."""

    job_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class CommissionBegun(Event):
    """Statements of a month wait to be written, or to be taken back."""

    month_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class DocumentsHeld(Event):
    """So many documents of one intake wait for a person or for their order."""

    document_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class MonthWasClosed(Event):
    """Nothing is booked into the month any more: its boards can be frozen."""

    close_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class IntakeQueued(Event):
    """A file of orders or returns has work to be done."""

    job_id: int
