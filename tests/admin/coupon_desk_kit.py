"""What the tests of the coupon desks share: forms as a browser sends them, accounts with some rights."""

from io import BytesIO
from typing import Any

import openpyxl
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tests.cast import Cast

TEMPLATE: dict[str, Any] = {
    "title": "周末券", "colour": "gold", "kind": "percent", "rate_bp": "8.5", "cap_fen": "50.5", "min_spend_fen": "200",
    "validity": "from_today", "valid_days": "7", "weekdays": ["5", "6"], "hours_from": ["10:00", "18:00"],
    "hours_to": ["14:00", "00:00"], "include_categories": ["shoes", "bags，belts"], "gifting": "first",
}  # fmt: skip


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:coupons_{name}", args=args)


def press(desk: Client, button: str, pk: int, **values: Any) -> Any:
    """A question page, confirmed."""
    return desk.post(page(button, pk), {"_confirmed": "1", **values})


def errors_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200
    return dict(answer.context["form"].errors)


def shown(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


def staff_client(cast: Cast, *rights: str) -> Client:
    """The eastern region's account with these rights on coupons (all, when none is named)."""
    permissions = Permission.objects.filter(content_type__app_label="coupons")
    if rights:
        permissions = permissions.filter(codename__in=rights)
    cast.regional.user_permissions.set(permissions)
    client = Client()
    client.force_login(cast.regional)
    return client


def sheet_of(answer: Any) -> list[list[Any]]:
    """The rows of a downloaded workbook."""
    book = openpyxl.load_workbook(BytesIO(b"".join(answer.streaming_content)))
    return [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
