"""The refusals of `members`."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, Refusal


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


class CannotMergeWithHerself(InvalidInput):
    code = "members.cannot_merge_with_herself"
    sentence = _("这两条记录是同一位会员，不需要合并")


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


class NotEnoughPoints(Conflict):
    """The balance is smaller than what is to be spent, frozen or taken."""

    code = "members.not_enough_points"
    sentence = _("积分不够")


class PointsUnusable(InvalidInput):
    """Not a whole number from 1 to a billion."""

    code = "members.points_unusable"
    sentence = _("积分请填写大于 0 的整数")


class SourceKeyUnusable(InvalidInput):
    """1 to 80 letters, digits and `_ - . : /`; other signs are kept for keys of our own."""

    code = "members.source_key_unusable"
    sentence = _("业务单号有误")


class SourceKeyTaken(Conflict):
    """The key has been used for something else: another kind or another amount."""

    code = "members.source_key_taken"
    sentence = _("这个业务单号已经用于另一笔积分")


class NoSuchPointsEntry(NotFound):
    code = "members.no_such_points_entry"
    sentence = _("没有找到这笔积分")


class EntryNotReversible(Conflict):
    """Reversals, expiries, freezes and releases are not reversed; a freeze is released instead."""

    code = "members.entry_not_reversible"
    sentence = _("这笔积分不能冲回")


class EntryAlreadyReversed(Conflict):
    """By another request; the same request gets its first answer."""

    code = "members.entry_already_reversed"
    sentence = _("这笔积分已经冲回过了")


class NotFrozen(Conflict):
    """The entry is not a freeze, or what it froze has been released or spent."""

    code = "members.not_frozen"
    sentence = _("这笔积分不在冻结中")


class ExpiryUnusable(InvalidInput):
    code = "members.expiry_unusable"
    sentence = _("过期日要在今天或以后")


class AmountsUnusable(InvalidInput):
    """A line of a sale with a negative amount."""

    code = "members.amounts_unusable"
    sentence = _("消费金额有误")


class StaffOnly(NotAllowed):
    """Points are adjusted by people with an account in the admin, so that two of them can be told apart."""

    code = "members.staff_only"
    sentence = _("只有后台员工可以调整积分")


class ReasonMissing(InvalidInput):
    code = "members.reason_missing"
    sentence = _("请写明原因，最多 120 个字")


class NeedsAnotherPerson(NotAllowed):
    """Who asked may not decide."""

    code = "members.needs_another_person"
    sentence = _("需要另一位员工来审批")


class AdjustmentDecided(Conflict):
    code = "members.adjustment_decided"
    sentence = _("这笔调整已经审批过了")
