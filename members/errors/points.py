"""Refusals about points."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound


class NotEnoughPoints(Conflict):
    """The balance is smaller than what is to be spent, frozen or taken."""

    code = "members.not_enough_points"
    sentence = _("积分不够")


class PointsUnusable(InvalidInput):
    """Not a whole number from 1 to a billion."""

    code = "members.points_unusable"
    sentence = _("积分请填写大于 0 的整数")


class SourceKeyUnusable(InvalidInput):
    """1 to 80 letters, digits and `_ - . : /`; other signs are kept for keys of our own."""

    code = "members.source_key_unusable"
    sentence = _("业务单号有误")


class SourceKeyTaken(Conflict):
    """The key has been used for something else: another kind or another amount."""

    code = "members.source_key_taken"
    sentence = _("这个业务单号已经用于另一笔积分")


class NoSuchPointsEntry(NotFound):
    code = "members.no_such_points_entry"
    sentence = _("没有找到这笔积分")


class EntryNotReversible(Conflict):
    """Reversals, expiries, freezes and releases are not reversed; a freeze is released instead."""

    code = "members.entry_not_reversible"
    sentence = _("这笔积分不能冲回")


class EntryAlreadyReversed(Conflict):
    """By another request; the same request gets its first answer."""

    code = "members.entry_already_reversed"
    sentence = _("这笔积分已经冲回过了")


class NotFrozen(Conflict):
    """The entry is not a freeze, or what it froze has been released or spent."""

    code = "members.not_frozen"
    sentence = _("这笔积分不在冻结中")


class ExpiryUnusable(InvalidInput):
    code = "members.expiry_unusable"
    sentence = _("过期日要在今天或以后")


class AmountsUnusable(InvalidInput):
    """A line of a sale with a negative amount."""

    code = "members.amounts_unusable"
    sentence = _("消费金额有误")


class NeedsAnotherPerson(NotAllowed):
    """Who asked may not decide."""

    code = "members.needs_another_person"
    sentence = _("需要另一位员工来审批")


class AdjustmentDecided(Conflict):
    code = "members.adjustment_decided"
    sentence = _("这笔调整已经审批过了")
