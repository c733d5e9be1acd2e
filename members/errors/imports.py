"""Refusals of imports."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound, Refusal


class NoSuchImport(NotFound):
    code = "members.no_such_import"
    sentence = _("没有找到这次导入")


class ImportMappingUnusable(InvalidInput):
    """A target twice, no identity at all, or an option missing that a column needs; `details["field"]` names it."""

    code = "members.import_mapping_unusable"
    sentence = _("列的对应不完整")


class ImportNotInThisState(Conflict):
    """Somebody or some worker took it further meanwhile."""

    code = "members.import_not_in_this_state"
    sentence = _("这次导入的状态已经变了，请刷新后再看")


class ImportTooManyTags(InvalidInput):
    """More new words than tags can be: most likely the wrong column."""

    code = "members.import_too_many_tags"
    sentence = _("标签列里的词太多了，请检查是不是选错了列")


class ImportStuck(Refusal):
    """Taken up again and again without a step forward."""

    code = "members.import_stuck"
    sentence = _("导入反复中断，请联系技术人员")


class NoSuchCandidate(NotFound):
    code = "members.no_such_candidate"
    sentence = _("没有找到这条待确认")


class CandidateDecided(Conflict):
    """Somebody else said what it is."""

    code = "members.candidate_decided"
    sentence = _("这一条已经有人确认过了")
