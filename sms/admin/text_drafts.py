"""The phone beside a template's form: what is being written."""

from typing import Any

from django.http import HttpRequest

from core.admin import PhonePages, cost_words
from sms import services
from sms.models import SmsTemplate
from sms.services.words import words_of

_FRESH_LIMIT = 6  # characters of a place, of an account that is new at the provider


class DraftPages(PhonePages):
    """Mix into the admin of templates, in front of BaseAdmin."""

    phone_template = "admin/xiaoer/_draft_phone.html"

    def draw_phone(self, request: HttpRequest, row: SmsTemplate | None) -> dict[str, Any]:
        """Whether it can be sent is said of what is kept, not of what is typed."""
        return _drawn(request.POST) if request.method == "POST" else _drawn(_kept(row), row)


def _kept(row: SmsTemplate | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {"purpose": row.purpose, "text": row.text, "sign": row.sign_id, "gap_limit": row.gap_limit}


def _drawn(typed: Any, row: SmsTemplate | None = None) -> dict[str, Any]:
    """What the phone needs, of a form that may be half filled. `row`, as it is kept, says whether it can be sent."""
    text, limit = str(typed.get("text") or ""), _number(typed.get("gap_limit"))
    draft = services.draft_text(
        purpose=str(typed.get("purpose") or ""),
        text=text,
        sign_id=_number(typed.get("sign")),
        gap_limit=_FRESH_LIMIT if limit is None else limit,
    )
    trouble = "" if row is None else services.get_text(row.pk).trouble
    return {
        "draft": draft,
        "is_empty": not text.strip(),
        "cost": cost_words(draft.cost_hundredths),
        "row": row,
        "trouble": words_of(trouble) if trouble else "",
    }


def _number(typed: Any) -> int | None:
    """What a field holds, where it is a number that a row may have."""
    words = str(typed or "")
    return int(words) if words.isascii() and words.isdecimal() and len(words) < 10 else None
