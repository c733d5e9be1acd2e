"""The refusals of `members`."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound


class NoSuchMember(NotFound):
    code = "members.no_such_member"
    sentence = _("没有找到这位会员")


class PhoneUnusable(InvalidInput):
    """Not a mobile number of mainland China: 11 digits that begin with 13 to 19."""

    code = "members.phone_unusable"
    sentence = _("手机号不对，请填写 11 位手机号")


class PhoneAlreadyRegistered(Conflict):
    """One phone is one member; who she is stays untold."""

    code = "members.phone_already_registered"
    sentence = _("这个手机号已经是会员了")


class IdentityTaken(Conflict):
    """A phone, openid or unionid that is another member's already."""

    code = "members.identity_taken"
    sentence = _("导入的手机号或微信身份已经属于其他会员")


class NameUnusable(InvalidInput):
    code = "members.name_unusable"
    sentence = _("姓名请填写 1 到 60 个字")


class IdentityUnusable(InvalidInput):
    """An openid or unionid that WeChat cannot have given."""

    code = "members.identity_unusable"
    sentence = _("微信身份有误，请重新打开页面")


class CannotMergeWithHerself(InvalidInput):
    code = "members.cannot_merge_with_herself"
    sentence = _("这两条记录是同一位会员，不需要合并")
