"""Refusals of imports."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound, Refusal


class NoSuchImport(NotFound):
    code = "members.no_such_import"
    sentence = _("没有找到这次导入")


class ImportFileEmpty(InvalidInput):
    code = "members.import_file_empty"
    sentence = _("这个文件是空的")


class ImportFileTooLarge(InvalidInput):
    """More bytes, or more unpacked bytes, than one import takes."""

    code = "members.import_file_too_large"
    sentence = _("文件太大，请拆成几个文件再导入")


class ImportFileBroken(InvalidInput):
    """Cut off, damaged, or not what its first bytes say."""

    code = "members.import_file_broken"
    sentence = _("文件已损坏或不完整，请用 Excel 重新另存一份")


class ImportFileUnsupported(InvalidInput):
    """Neither text with separators nor an .xlsx workbook: old .xls, a workbook with a password, a picture."""

    code = "members.import_file_unsupported"
    sentence = _("只能导入 CSV 和没有密码的 XLSX 文件，旧的 .xls 请先另存为 .xlsx")


class ImportFileUnreadable(InvalidInput):
    """Neither UTF-8 nor GBK."""

    code = "members.import_file_unreadable"
    sentence = _("认不出文件的文字编码，请用 Excel 另存为 XLSX")


class ImportHasNoRows(InvalidInput):
    code = "members.import_has_no_rows"
    sentence = _("文件里只有表头，没有会员")


class ImportTooWide(InvalidInput):
    code = "members.import_too_wide"
    sentence = _("列太多，请删掉用不到的列")


class ImportTooLong(InvalidInput):
    code = "members.import_too_long"
    sentence = _("行数太多，请拆成几个文件再导入")


class ImportCellTooLarge(InvalidInput):
    """One cell, or one line of text, that no list of members has; often a quotation mark that never closes."""

    code = "members.import_cell_too_large"
    sentence = _("有一格内容长得不正常，请检查那一行的引号和内容")


class ImportMappingUnusable(InvalidInput):
    """A target twice, no identity at all, or an option missing that a column needs; `details["field"]` names it."""

    code = "members.import_mapping_unusable"
    sentence = _("列的对应不完整")


class ImportNotInThisState(Conflict):
    """Somebody or some worker took it further meanwhile."""

    code = "members.import_not_in_this_state"
    sentence = _("这次导入的状态已经变了，请刷新后再看")


class ImportFileGone(Refusal):
    code = "members.import_file_gone"
    sentence = _("原文件已按期删除，请重新上传")


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
