"""Goods that terms name, as people call them."""

from collections.abc import Sequence
from typing import Final, Literal

from django.utils.translation import gettext as _

from coupons.contracts import TemplateTerms
from coupons.selectors.words import listed
from members.selectors.conditions import name_keys

# The condition that knows goods by name: who sells is above this app.
GOODS: Final = "sales.purchases"
What = Literal["categories", "products"]


def goods_words(terms: TemplateTerms) -> str:
    """On which goods it is good: the first of each list, and how many there are. One query for each list that has any."""
    scope = scope_words(terms)
    words = _("限%(goods)s") % {"goods": scope} if scope else _("全部商品")
    left_out = excluded_words(terms)
    return words + (_("（不含 %(goods)s）") % {"goods": left_out} if left_out else "")


def scope_words(terms: TemplateTerms) -> str:
    """类目 针织、外套，商品 羊绒衫; empty for all goods."""
    pieces = []
    if terms.include_categories:
        pieces.append(_("类目 %(names)s") % {"names": _listed("categories", terms.include_categories)})
    if terms.include_products:
        pieces.append(_("商品 %(names)s") % {"names": _listed("products", terms.include_products)})
    return "，".join(pieces)


def excluded_words(terms: TemplateTerms) -> str:
    """What is left out, in the same way."""
    pieces = []
    if terms.exclude_categories:
        pieces.append(_listed("categories", terms.exclude_categories))
    if terms.exclude_products:
        pieces.append(_listed("products", terms.exclude_products))
    return "，".join(pieces)


def _listed(what: What, codes: Sequence[str]) -> str:
    """Each name once, for a style has a code for every size; what nobody has named is told by its code."""
    names = name_keys(GOODS, what, codes)
    return listed(list(dict.fromkeys(names.get(code, code) for code in codes)))
