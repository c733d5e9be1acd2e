"""Refusals about consents, reveals and requests for data."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, Refusal, TooMany


class NoSuchConsentKind(NotFound):
    code = "members.no_such_consent_kind"
    sentence = _("没有这个授权项目")


class NoSuchConsentText(NotFound):
    """A version that does not exist or is not published yet."""

    code = "members.no_such_consent_text"
    sentence = _("没有找到这份授权文本")


class ConsentTextOutdated(Conflict):
    """A newer version was published since she opened the page: she reads it first."""

    code = "members.consent_text_outdated"
    sentence = _("条款已经更新，请看过新的版本再同意")


class ConsentNotGiven(Conflict):
    """There is nothing to withdraw: she never agreed."""

    code = "members.consent_not_given"
    sentence = _("还没有同意过，不需要撤回")


class ConsentDoorUnknown(InvalidInput):
    code = "members.consent_door_unknown"
    sentence = _("授权渠道有误")


class ConsentTextPublished(Conflict):
    """What members were shown is never changed; the next version says it differently."""

    code = "members.consent_text_published"
    sentence = _("已经发布的版本不能修改，请起草新版本")


class ConsentTextUnusable(InvalidInput):
    code = "members.consent_text_unusable"
    sentence = _("标题请填写 1 到 60 个字，正文请填写 1 到 50000 个字")


class ConsentKindUnusable(InvalidInput):
    code = "members.consent_kind_unusable"
    sentence = _("代码请用小写英文字母开头，名称请填写 1 到 20 个字")


class ConsentKindTaken(Conflict):
    code = "members.consent_kind_taken"
    sentence = _("已经有这个代码的授权项目了")


class RevealReasonMissing(InvalidInput):
    """None of the choices, or 其他 without words."""

    code = "members.reveal_reason_missing"
    sentence = _("请选择查看的原因，选“其他”时写几个字")


class NoPhoneToReveal(Refusal):
    code = "members.no_phone_to_reveal"
    sentence = _("这位会员还没有留手机号")


class RevealerUnknown(NotAllowed):
    """Only a guide or a staff account reveals: somebody who can be asked about it."""

    code = "members.revealer_unknown"
    sentence = _("只有导购和后台员工可以查看手机号")


class TooManyReveals(TooMany):
    """`details["limit"]`: doer_hour, doer_day or member_day."""

    code = "members.too_many_reveals"
    sentence = _("今天查看手机号的次数太多了，请稍后再试；有急事请联系总部")


class RevealSpent(Conflict):
    """The same dialog again after the number was shown: it is asked for anew, and counts anew."""

    code = "members.reveal_spent"
    sentence = _("号码已经显示过了，需要时请重新查看")


class NoSuchDataRequest(NotFound):
    code = "members.no_such_data_request"
    sentence = _("没有找到这个申请")


class DataRequestClosed(Conflict):
    code = "members.data_request_closed"
    sentence = _("这个申请已经办结了")


class StillCoolingOff(Conflict):
    """She asked herself and may still think better of it."""

    code = "members.still_cooling_off"
    sentence = _("还在等待期内，会员可以反悔，到期后会自动删除")


class ErasureReasonUnknown(InvalidInput):
    code = "members.erasure_reason_unknown"
    sentence = _("请选择删除的原因")
