"""What she did in the mini-program, with the names of what it was about: `members` knows codes, goods and campaigns stand
above it."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Final

from campaigns.models import Campaign
from members.contracts.behaviours import PRODUCT_KINDS
from members.selectors.conditions import FOUND, Parameter
from members.selectors.conditions import behaviours as of_members
from members.selectors.seen import find_subjects
from sales import selectors as sale_selectors

_CAMPAIGN_KIND: Final = "campaign_viewed"
_PARAMETERS: Final[Mapping[str, Any]] = of_members.Did.parameters
# Of a word that is in the name of very many.
_MOST_NAMED: Final = 200


def _names(subjects: Collection[str]) -> dict[str, str]:
    campaigns = Campaign.objects.filter(public_id__in=list(subjects)).values_list("public_id", "name")
    return {**sale_selectors.list_product_names(subjects), **dict(campaigns)}


def _find(text: str, kind: str) -> list[tuple[str, str]]:
    """(subject, its name) of what was done so, by its name or as it was told."""
    named: list[str] = []
    if text and kind in PRODUCT_KINDS:
        named = sale_selectors.find_product_codes(text, limit=_MOST_NAMED)
    elif text and kind == _CAMPAIGN_KIND:
        rows = Campaign.objects.filter(name__icontains=text).order_by("-pk")
        named = list(rows.values_list("public_id", flat=True)[:_MOST_NAMED])
    found = find_subjects(kind, text, named=named, limit=FOUND)
    names = _names(found) if kind in PRODUCT_KINDS or kind == _CAMPAIGN_KIND else {}
    return [(subject, _label(subject, names.get(subject, subject), kind)) for subject in found]


def _label(subject: str, name: str, kind: str) -> str:
    """A campaign's own id says nothing to anybody."""
    return name if name == subject or kind == _CAMPAIGN_KIND else f"{name}（{subject}）"


class Did(of_members.Did):
    """The same condition; goods and campaigns are found and shown by name."""

    parameters: ClassVar[Mapping[str, Parameter]] = {
        **_PARAMETERS,
        "subjects": dataclasses.replace(_PARAMETERS["subjects"], names=_names, find=_find),
    }
