"""Refusals about tiers."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound, Refusal


class NoSuchTier(NotFound):
    code = "members.no_such_tier"
    sentence = _("没有找到这个等级")


class TierRetired(Refusal):
    """It is no rung of today's ladder."""

    code = "members.tier_retired"
    sentence = _("这个等级已经停用，请换一个")


class TierUnusable(InvalidInput):
    """A name, colour, multiplier, benefit, gift or threshold that cannot be used; the sentence says which."""

    code = "members.tier_unusable"
    sentence = _("等级填写有误，请检查后再保存")


class TierNameTaken(Conflict):
    code = "members.tier_name_taken"
    sentence = _("已经有这个名称的等级了")


class TierRankTaken(Conflict):
    """Two rungs at one height."""

    code = "members.tier_rank_taken"
    sentence = _("这个级别已经有等级了")


class TierLadderBroken(InvalidInput):
    """A higher rung that is easier to reach than a lower one, or one without thresholds above another."""

    code = "members.tier_ladder_broken"
    sentence = _("等级越高，条件也要越高")


class TierInUse(Conflict):
    """Members have it; nobody loses a tier because a word was switched off."""

    code = "members.tier_in_use"
    sentence = _("还有会员是这个等级，暂时不能停用")


class TierSettingsUnusable(InvalidInput):
    code = "members.tier_settings_unusable"
    sentence = _("等级设置填写有误，请检查后再保存")


class ActivityUnusable(InvalidInput):
    """Numbers beyond any sale, or an entry of nothing but zeros."""

    code = "members.activity_unusable"
    sentence = _("成长记录的数字有误")


class ActivityDayUnusable(InvalidInput):
    """A day to come, or one before the year 2000."""

    code = "members.activity_day_unusable"
    sentence = _("成长记录的日期有误")


class TierGrantUnusable(InvalidInput):
    """An end that is over or more than ten years away."""

    code = "members.tier_grant_unusable"
    sentence = _("结束日要在今天之后，最长 10 年")


class TierNotHigher(Refusal):
    """What staff give must be above what she earned; lowering by hand would hide what she did."""

    code = "members.tier_not_higher"
    sentence = _("会员自己已经达到这个等级或更高，不需要指定")


class NoManualTier(Conflict):
    code = "members.no_manual_tier"
    sentence = _("这位会员现在没有指定的等级")


class ReassessmentUnderWay(Conflict):
    """One at a time: two by different rules would undo each other."""

    code = "members.reassessment_under_way"
    sentence = _("上一次重新评定还没有完成，请稍后再试")
