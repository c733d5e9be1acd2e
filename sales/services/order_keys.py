"""What an order is called in the keys of other books."""

import hashlib

from sales.contracts import OrderDocument
from sales.models import Sale


def order_key(sale: Sale | OrderDocument) -> str:
    """The same in all revisions of the order."""
    digest = hashlib.blake2b(f"{sale.source}\x1f{sale.order_no}".encode(), digest_size=15).hexdigest()
    return f"sale:{digest}"
