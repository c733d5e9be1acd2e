"""The member of a row in other apps' lists: read for a page at once, named as everywhere."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin import column
from members import selectors


class MemberCells:
    """For an admin page whose rows have a `member_id`: the columns `member_name` and `member_link`."""

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        cards = selectors.list_member_cards({row.member_id for row in rows if row.member_id is not None})
        for row in rows:
            row.card = cards.get(row.member_id)

    @column(_("会员"))
    def member_name(self, row: Any) -> str:
        return _name(row)

    @column(_("会员"))
    def member_link(self, row: Any) -> SafeString:
        url = reverse("admin:members_member_change", args=[row.member_id])
        return format_html('<a class="xe-link" href="{}">{}</a>', url, _name(row))


def _name(row: Any) -> str:
    card = getattr(row, "card", None) or selectors.get_member_card(row.member_id)
    return str(card.display_name)
