"""Segments, their rules, and the tags that follow them."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound, Refusal, Unavailable


class RuleUnfit(InvalidInput):
    """`details["faults"]` lists what is wrong: path, code and words of each."""

    code = "campaigns.rule_unfit"
    sentence = _("人群条件有误，请按提示修改")


class SegmentTooSlow(Unavailable):
    code = "campaigns.segment_too_slow"
    sentence = _("符合条件的人太多或条件太复杂，没有在限定时间内算完；可以先减少条件再试")


class SegmentBeingWorkedOut(Unavailable):
    code = "campaigns.segment_being_worked_out"
    sentence = _("人群正在计算，请过几秒再试")


class NoSuchSegment(NotFound):
    code = "campaigns.no_such_segment"
    sentence = _("没有这个人群，可能已经停用")


class SegmentNameUnusable(InvalidInput):
    code = "campaigns.segment_name_unusable"
    sentence = _("名称填 1 到 40 个字，不能和使用中的人群同名")


class SegmentChangedMeanwhile(Conflict):
    code = "campaigns.segment_changed_meanwhile"
    sentence = _("别人刚刚改过这个人群，请刷新后再改")


class SegmentInUse(Refusal):
    """`details["names"]` says by which others."""

    code = "campaigns.segment_in_use"
    sentence = _("别的人群用到了它，请先把它从那些人群的条件里去掉")


class SegmentHeld(Refusal):
    """`details["campaigns"]` and `details["journeys"]` say by which; its sentence names them."""

    code = "campaigns.segment_held"
    sentence = _("有营销活动或自动化旅程还在用它，请先停止它们")


class SegmentHasTags(Refusal):
    """`details["names"]` says which."""

    code = "campaigns.segment_has_tags"
    sentence = _("有标签跟随着它，请先在标签页解除跟随")


class SegmentNotLiving(Refusal):
    """A list or a snapshot stands still: a tag that followed it would be a tag that a file gave."""

    code = "campaigns.segment_not_living"
    sentence = _("标签只能跟随持续更新的人群")


class TagFollowsAlready(Conflict):
    code = "campaigns.tag_follows_already"
    sentence = _("这个标签已经跟随着一个人群，请先解除")


class TagFollowsNone(Conflict):
    code = "campaigns.tag_follows_none"
    sentence = _("这个标签没有跟随任何人群")


class TagCircle(Refusal):
    """The segment's rule asks for the tag, itself or through others."""

    code = "campaigns.tag_circle"
    sentence = _("这个人群的条件用到了这个标签，标签不能再跟随它")


class SegmentHasNoRule(Refusal):
    code = "campaigns.segment_has_no_rule"
    sentence = _("名单没有条件，也不会自己变化；请重新上传名单")


class SegmentIsNoList(Refusal):
    code = "campaigns.segment_is_no_list"
    sentence = _("只有名单可以加人和去人，其他人群由条件决定")
