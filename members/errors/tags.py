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


class TagExpiryPast(InvalidInput):
    code = "members.tag_expiry_past"
    sentence = _("有效期要晚于现在")
