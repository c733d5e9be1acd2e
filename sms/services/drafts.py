"""How a template will look while it is written, before anything is kept."""

from django.utils.translation import gettext as _

from core import texts
from sms import wording
from sms.contracts import TextDraft
from sms.models import SmsSign
from sms.services.direct import price_of
from sms.services.texts import MOST_CHARACTERS, list_text_faults


def draft_text(*, purpose: str, text: str, sign_id: int | None, gap_limit: int) -> TextDraft:
    """The text with the sign that would stand before it, and what the longest one costs. Nothing is refused: whoever is
    still writing sees what is missing."""
    text = text.strip()
    limit = min(max(gap_limit, 1), MOST_CHARACTERS)
    sign = SmsSign.objects.filter(pk=sign_id).first() if sign_id else None
    sign = sign or SmsSign.objects.filter(is_default=True).first()
    head = f"【{_('没有签名') if sign is None else sign.name}】"
    longest = head + wording.GAP.sub(lambda _gap: "满" * limit, text)
    count = wording.count_segments(longest)
    warnings = []
    if sign is None:
        warnings.append(_("还没有签名，也没有默认签名；先到“短信签名”里新增"))
    if len(longest) > wording.LONGEST:
        warnings.append(_("变量填满时超过 %(n)s 个字，太长的内容会发不出去") % {"n": wording.LONGEST})
    return TextDraft(
        pieces=((head, False), *_pieces(text)),
        gap_count=len(wording.gaps_of(text)),
        gap_limit=limit,
        longest=texts.width(longest),
        segment_count=count,
        cost_hundredths=price_of(purpose) * count,
        faults=tuple(list_text_faults(purpose, text)) if text else (),
        warnings=tuple(warnings),
    )


def _pieces(text: str) -> list[tuple[str, bool]]:
    """The text cut at its places."""
    pieces, done = [], 0
    for gap in wording.GAP.finditer(text):
        pieces += [(text[done : gap.start()], False), (gap[0], True)]
        done = gap.end()
    return [(piece, is_place) for piece, is_place in [*pieces, (text[done:], False)] if piece]
