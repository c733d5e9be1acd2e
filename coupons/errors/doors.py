"""Refusals of the doors through which coupons go out."""

from django.utils.translation import gettext_lazy as _

from core.errors import NotFound


class NoSuchOffer(NotFound):
    """Unknown, or another guide's: the two look the same."""

    code = "coupons.no_such_offer"
    sentence = _("没有找到这次面对面发券")
