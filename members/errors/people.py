"""Refusals about people and their identities."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound


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


class GenderUnusable(InvalidInput):
    code = "members.gender_unusable"
    sentence = _("性别请选女或男，也可以不填")


class BirthdayUnusable(InvalidInput):
    """In the future, or more than 120 years ago."""

    code = "members.birthday_unusable"
    sentence = _("生日不对，请检查年月日")


class BirthdayChangedLately(Conflict):
    """Once a year, since gifts hang on it; `details["free_on"]` is the day from which it may change again."""

    code = "members.birthday_changed_lately"
    sentence = _("生日一年只能修改一次，如果填错了，请联系您的导购")


class AddressUnusable(InvalidInput):
    """A place that does not exist, or a street that is too long or holds signs nobody can read."""

    code = "members.address_unusable"
    sentence = _("地址不对，请重新选择省市区，详细地址最多 120 个字")


class MemberCodeUnusable(InvalidInput):
    """Wrong, expired and used look the same: whoever guesses learns nothing."""

    code = "members.member_code_unusable"
    sentence = _("会员码已失效，请会员刷新后再扫一次")


class StaffOnly(NotAllowed):
    """Points are adjusted, and tiers given, by people with an account in the admin: two of them can be told apart."""

    code = "members.staff_only"
    sentence = _("只有后台员工可以做这个操作")


class ReasonMissing(InvalidInput):
    code = "members.reason_missing"
    sentence = _("请写明原因，最多 120 个字")
