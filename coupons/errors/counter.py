"""Refusals at the counter, where a guide redeems."""

from django.utils.translation import gettext_lazy as _

from core.errors import InvalidInput


class MemberCodeShown(InvalidInput):
    """The 20 digits are a member's code, which stands for no coupon."""

    code = "coupons.member_code_shown"
    sentence = _("这是会员码，请会员点开要用的那张券再扫")


class DiscountMissing(InvalidInput):
    """Nothing taken off, or an amount that only the goods can tell and nobody told."""

    code = "coupons.discount_missing"
    sentence = _("请填写优惠金额，要大于 0")


class DiscountTooHigh(InvalidInput):
    """A guide may take off less than the terms give, never more."""

    code = "coupons.discount_too_high"
    sentence = _("优惠金额超过了这张券能减的金额")
