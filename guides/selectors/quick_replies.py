"""话术 as those who answer see them: searched, and filled for one member."""

import re
from typing import Final

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from guides.contracts import GuideCard, QuickReplyLine
from guides.models import QuickReply
from guides.selectors.member_side import find_member_guide
from members.contracts import MemberCard

# What may stand in braces.
PLACES: Final = ("会员", "门店", "导购")
MOST: Final = 100
_PLACE: Final = re.compile(r"\{(会员|门店|导购)\}")
# Nobody is called by a name she has not told: the address goes, with the mark that would follow it.
_ADDRESS: Final = re.compile(r"\{会员\}[，,、：:！!]?\s*")


def list_quick_replies(
    *, member: MemberCard, guide: GuideCard | None, query: str = ""
) -> tuple[QuickReplyLine, ...]:
    """Those that are on and contain every word of the query, filled for this member. `guide`: who answers; None: head
    office, which speaks of her guide and her store."""
    rows = QuickReply.objects.filter(is_active=True)
    for word in query.replace("\0", "").split()[:5]:
        rows = rows.filter(Q(title__icontains=word) | Q(text__icontains=word) | Q(group__icontains=word))
    values = _values(member, guide)
    return tuple(
        QuickReplyLine(row.pk, row.group, row.title, fill_places(row.text, values))
        for row in rows.order_by("order", "group", "title")[:MOST]
    )


def fill_places(text: str, values: dict[str, str]) -> str:
    """The text with its places filled. A name that itself looks like a place stays as it is."""
    if not values["会员"]:
        text = _ADDRESS.sub("", text)
    return _PLACE.sub(lambda found: values[found[1]], text)


def _values(member: MemberCard, guide: GuideCard | None) -> dict[str, str]:
    if guide is None:
        found = find_member_guide(member.id)
        guide = found.guide if found is not None and found.guide.is_active else None
    return {
        # A guide's own name for her is not for her eyes.
        "会员": member.display_name if member.is_named and not member.is_remarked else "",
        "门店": settings.BRAND_NAME if guide is None else guide.store.name,
        "导购": _("客服") if guide is None else guide.name,
    }
