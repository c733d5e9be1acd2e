"""Refusals of files that people upload."""

from django.utils.translation import gettext_lazy as _

from core.errors import InvalidInput, Refusal


class FileEmpty(InvalidInput):
    code = "core.file_empty"
    sentence = _("这个文件是空的")


class FileTooLarge(InvalidInput):
    """More bytes, or more unpacked bytes, than one file may have."""

    code = "core.file_too_large"
    sentence = _("文件太大，请拆成几个文件再导入")


class FileBroken(InvalidInput):
    """Cut off, damaged, or not what its first bytes say."""

    code = "core.file_broken"
    sentence = _("文件已损坏或不完整，请用 Excel 重新另存一份")


class FileUnsupported(InvalidInput):
    """Neither text with separators nor an .xlsx workbook: old .xls, a workbook with a password, a picture."""

    code = "core.file_unsupported"
    sentence = _("只能导入 CSV 和没有密码的 XLSX 文件，旧的 .xls 请先另存为 .xlsx")


class FileUnreadable(InvalidInput):
    """Neither UTF-8 nor GBK."""

    code = "core.file_unreadable"
    sentence = _("认不出文件的文字编码，请用 Excel 另存为 XLSX")


class FileHasNoRows(InvalidInput):
    code = "core.file_has_no_rows"
    sentence = _("文件里只有表头，没有内容")


class FileTooWide(InvalidInput):
    code = "core.file_too_wide"
    sentence = _("列太多，请删掉用不到的列")


class FileTooLong(InvalidInput):
    code = "core.file_too_long"
    sentence = _("行数太多，请拆成几个文件再导入")


class FileCellTooLarge(InvalidInput):
    """One cell, or one line of text, that no table of ours has; often a quotation mark that never closes."""

    code = "core.file_cell_too_large"
    sentence = _("有一格内容长得不正常，请检查那一行的引号和内容")


class FileGone(Refusal):
    code = "core.file_gone"
    sentence = _("原文件已按期删除，请重新上传")
