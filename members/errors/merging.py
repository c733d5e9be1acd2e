"""Refusals of merges and their undoing."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound


class CannotMergeWithHerself(InvalidInput):
    code = "members.cannot_merge_with_herself"
    sentence = _("这两条记录是同一位会员，不需要合并")


class NoSuchIdentity(NotFound):
    """No such identity, or one that is not hers."""

    code = "members.no_such_identity"
    sentence = _("没有找到这个身份标识")


class NoSuchMerge(NotFound):
    code = "members.no_such_merge"
    sentence = _("没有找到这次合并")


class MergeChoiceUnusable(InvalidInput):
    """A survivor who is neither of the two, or a value for a field nobody may choose."""

    code = "members.merge_choice_unusable"
    sentence = _("选择有误，请重新打开页面")


class MergeTooOld(Conflict):
    """A merge may be undone for 30 days."""

    code = "members.merge_too_old"
    sentence = _("合并已经超过 30 天，不能撤销了")


class MergedFurther(Conflict):
    """One of the two has been merged since; the later merge is undone first."""

    code = "members.merged_further"
    sentence = _("合并之后又有新的合并，请先撤销后面的那一次")


class MergeForgotten(Conflict):
    """One of the two was erased, and with her what undoing would need."""

    code = "members.merge_forgotten"
    sentence = _("会员资料已经按要求删除，不能撤销这次合并")
