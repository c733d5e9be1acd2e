"""Journeys and who is in them."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound, Refusal


class JourneyUnfit(InvalidInput):
    """`details["faults"]` lists what is wrong: path, code and words of each."""

    code = "campaigns.journey_unfit"
    sentence = _("旅程没有写好，请按提示修改")


class NoSuchJourney(NotFound):
    code = "campaigns.no_such_journey"
    sentence = _("没有这个旅程，可能已经结束")


class JourneyNameUnusable(InvalidInput):
    code = "campaigns.journey_name_unusable"
    sentence = _("名称填 1 到 40 个字，不能和没有结束的旅程同名")


class JourneyChangedMeanwhile(Conflict):
    code = "campaigns.journey_changed_meanwhile"
    sentence = _("别人刚刚改过这个旅程，请刷新后再改")


class JourneyNotInThisState(Refusal):
    code = "campaigns.journey_not_in_this_state"
    sentence = _("旅程现在的状态不能这样操作，请刷新页面再看")


class JourneyNotRunning(Refusal):
    code = "campaigns.journey_not_running"
    sentence = _("旅程没有在运行，现在不能进入")


class JourneyNotOpen(Refusal):
    """It does not begin by the API."""

    code = "campaigns.journey_not_open"
    sentence = _("这个旅程不是由开放接口送进来的")


class JourneyNotForHer(Refusal):
    """She is under way in it, was in it and may not enter again yet, or does not meet its condition."""

    code = "campaigns.journey_not_for_her"
    sentence = _("会员正在这个旅程里、还不能再进，或者不符合进入条件")


class EnrolmentNotParked(Refusal):
    code = "campaigns.enrolment_not_parked"
    sentence = _("只有出错停住的会员可以重试")


class EnrolmentOver(Refusal):
    code = "campaigns.enrolment_over"
    sentence = _("会员已经不在旅程里")


class JourneyWithoutGift(Refusal):
    code = "campaigns.journey_without_gift"
    sentence = _("这个旅程里没有可以换的礼，请直接修改旅程")


class JourneyGiftUnknown(InvalidInput):
    code = "campaigns.journey_gift_unknown"
    sentence = _("没有这个券批次，或者它不允许系统发放")


class JourneyExitNeedsReason(InvalidInput):
    code = "campaigns.journey_exit_needs_reason"
    sentence = _("请选一个原因；选“其他”时请写几个字")
