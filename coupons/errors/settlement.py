"""The refusals of settlement."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound, Unavailable


class NoSuchMonth(NotFound):
    code = "coupons.no_such_month"
    sentence = _("没有找到这个结算月份")


class NoSuchPolicy(NotFound):
    code = "coupons.no_such_policy"
    sentence = _("没有找到这条结算规则")


class PolicyUnusable(InvalidInput):
    """Shares that do not make up the whole, or a rule for a batch and a template at once."""

    code = "coupons.policy_unusable"
    sentence = _("三方承担的比例加起来要等于 100%")


class PolicyExists(Conflict):
    code = "coupons.policy_exists"
    sentence = _("这个对象已经有结算规则，请修改原来那一条")


class MonthNotOver(Conflict):
    code = "coupons.month_not_over"
    sentence = _("这个月还没有结束，请到下个月再关账")


class MonthIsClosed(Conflict):
    code = "coupons.month_is_closed"
    sentence = _("这个月已经关账")


class MonthIsOpen(Conflict):
    code = "coupons.month_is_open"
    sentence = _("这个月没有关账，不用重新打开")


class EarlierMonthOpen(Conflict):
    """Months are closed in order: what is late for one goes to the next open one."""

    code = "coupons.earlier_month_open"
    sentence = _("前面还有月份没有关账，请从最早的月份开始")


class LaterMonthClosed(Conflict):
    code = "coupons.later_month_closed"
    sentence = _("后面的月份已经关账，请先重新打开最近的一个月")


class SettlementBusy(Unavailable):
    """A redemption is being written right now that may belong to the month."""

    code = "coupons.settlement_busy"
    sentence = _("还有核销正在写入，请过一会儿再关账")
