"""Refusals of the doors through which coupons go out."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound


class NoSuchOffer(NotFound):
    """Unknown, or another guide's: the two look the same."""

    code = "coupons.no_such_offer"
    sentence = _("没有找到这次面对面发券")


class NoSuchRule(NotFound):
    code = "coupons.no_such_rule"
    sentence = _("没有找到这条发券规则")


class RuleUnusable(InvalidInput):
    """Terms that make no sense; `details["field"]` says which, the message what to do."""

    code = "coupons.rule_unusable"
    sentence = _("发券规则填写有误")


class RuleSwitchedOn(Conflict):
    """What a running rule gives, and when, does not change under those who wait for it."""

    code = "coupons.rule_switched_on"
    sentence = _("规则开启着，不能改什么时候发、发哪批券；请先关闭再改")


class TierLost(Conflict):
    """The reason in a rule's log: the coupon was for a tier that she had no more when it was her turn."""

    code = "coupons.tier_lost"
    sentence = _("发放时已经不是这个等级")


class HadBefore(Conflict):
    """The reason in a rule's log: another row of hers, merged since, had the coupon."""

    code = "coupons.had_before"
    sentence = _("合并前的账号已经发过")


class PurchaseReturned(Conflict):
    """The reason in a rule's log: the goods came back before the coupon was given."""

    code = "coupons.purchase_returned"
    sentence = _("订单已退货，不再发放")


class MemberGone(Conflict):
    """The reason in a rule's log."""

    code = "coupons.member_gone"
    sentence = _("会员已注销")
