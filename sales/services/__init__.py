"""Writes of `sales`."""

from sales.services.closing import close_month, reopen_month
from sales.services.freezing import freeze_boards, freeze_closed_boards
from sales.services.held import discard_document
from sales.services.intake import (
    record_documents,
    record_return,
    record_sale,
    retry_documents,
    retry_held_documents,
)
from sales.services.places import sync_places
from sales.services.proof import prove_totals
from sales.services.reattribution import reattribute_sale

__all__ = [
    "close_month",
    "discard_document",
    "freeze_boards",
    "freeze_closed_boards",
    "prove_totals",
    "reattribute_sale",
    "record_documents",
    "record_return",
    "record_sale",
    "reopen_month",
    "retry_documents",
    "retry_held_documents",
    "sync_places",
]
