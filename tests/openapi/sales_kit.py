"""Orders and returns as a till writes them in JSON."""

import datetime as dt
from typing import Any

from core import clock


def moment(**ago: float) -> str:
    """A time of the till so long ago."""
    return (clock.now() - dt.timedelta(**ago)).astimezone(clock.SHANGHAI).isoformat()


def goods(product: str = "A1", amount_fen: int = 10_000, **other: Any) -> dict[str, Any]:
    return {"product": product, "quantity": 1, "list_fen": amount_fen, "amount_fen": amount_fen, **other}


def told_order(order_no: str = "O1", *lines: dict[str, Any], **other: Any) -> dict[str, Any]:
    """One unit for 100 yuan, served by 李娜, in the key's own store."""
    lines = lines or (goods(),)
    values = {"sold_at": moment(minutes=10), "guide": "T001"} | other
    amount = sum(line["amount_fen"] for line in lines)
    return {"order_no": order_no, "lines": list(lines), "amount_fen": amount, **values}


def told_return(
    return_no: str = "R1", order_no: str = "O1", amount_fen: int = 10_000, **other: Any
) -> dict[str, Any]:
    """The first line of the order, whole."""
    line = {"line": 1, "product": "A1", "quantity": 1, "amount_fen": amount_fen}
    values = {"returned_at": moment(minutes=1), "lines": [line]} | other
    return {"return_no": return_no, "order_no": order_no, "amount_fen": amount_fen, **values}
