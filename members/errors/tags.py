"""Refusals about tags."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound, Refusal


class NoSuchTag(NotFound):
    code = "members.no_such_tag"
    sentence = _("没有找到这个标签")


class TagRetired(Refusal):
    """It stays where it is and is given to nobody new."""

    code = "members.tag_retired"
    sentence = _("这个标签已经停用，请换一个")


class TagNameUnusable(InvalidInput):
    code = "members.tag_name_unusable"
    sentence = _("名称请填写 1 到 20 个字")


class TagNameTaken(Conflict):
    """The same name twice in one group, or two groups of one name."""

    code = "members.tag_name_taken"
    sentence = _("这个名称已经有了")


class TagFollowsRule(Refusal):
    """Who has it is what a rule says: no hand and no file gives it, takes it off or retires it."""

    code = "members.tag_follows_rule"
    sentence = _("这个标签由系统按人群自动打上和去掉，不能手工改")


class TagCannotFollow(Refusal):
    """Of an exclusive group a member has one tag, while rules may be true of her several at a time."""

    code = "members.tag_cannot_follow"
    sentence = _("单选标签组里的标签不能自动打，请换一个多选组的标签")


class TagExpiryPast(InvalidInput):
    code = "members.tag_expiry_past"
    sentence = _("有效期要晚于现在")
