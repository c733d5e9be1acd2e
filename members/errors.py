"""The refusals of `members`."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, Refusal, TooMany


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


class MemberCodeUnusable(InvalidInput):
    """Wrong, expired and used look the same: whoever guesses learns nothing."""

    code = "members.member_code_unusable"
    sentence = _("会员码已失效，请会员刷新后再扫一次")


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
    """Points are adjusted, and tiers given, by people with an account in the admin: two of them can be told apart."""

    code = "members.staff_only"
    sentence = _("只有后台员工可以做这个操作")


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


class NoSuchTier(NotFound):
    code = "members.no_such_tier"
    sentence = _("没有找到这个等级")


class TierRetired(Refusal):
    """It is no rung of today's ladder."""

    code = "members.tier_retired"
    sentence = _("这个等级已经停用，请换一个")


class TierUnusable(InvalidInput):
    """A name, colour, multiplier, benefit, gift or threshold that cannot be used; the sentence says which."""

    code = "members.tier_unusable"
    sentence = _("等级填写有误，请检查后再保存")


class TierNameTaken(Conflict):
    code = "members.tier_name_taken"
    sentence = _("已经有这个名称的等级了")


class TierRankTaken(Conflict):
    """Two rungs at one height."""

    code = "members.tier_rank_taken"
    sentence = _("这个级别已经有等级了")


class TierLadderBroken(InvalidInput):
    """A higher rung that is easier to reach than a lower one, or one without thresholds above another."""

    code = "members.tier_ladder_broken"
    sentence = _("等级越高，条件也要越高")


class TierInUse(Conflict):
    """Members have it; nobody loses a tier because a word was switched off."""

    code = "members.tier_in_use"
    sentence = _("还有会员是这个等级，暂时不能停用")


class TierSettingsUnusable(InvalidInput):
    code = "members.tier_settings_unusable"
    sentence = _("等级设置填写有误，请检查后再保存")


class ActivityUnusable(InvalidInput):
    """Numbers beyond any sale, or an entry of nothing but zeros."""

    code = "members.activity_unusable"
    sentence = _("成长记录的数字有误")


class ActivityDayUnusable(InvalidInput):
    """A day to come, or one before the year 2000."""

    code = "members.activity_day_unusable"
    sentence = _("成长记录的日期有误")


class TierGrantUnusable(InvalidInput):
    """An end that is over or more than ten years away."""

    code = "members.tier_grant_unusable"
    sentence = _("结束日要在今天之后，最长 10 年")


class TierNotHigher(Refusal):
    """What staff give must be above what she earned; lowering by hand would hide what she did."""

    code = "members.tier_not_higher"
    sentence = _("会员自己已经达到这个等级或更高，不需要指定")


class NoManualTier(Conflict):
    code = "members.no_manual_tier"
    sentence = _("这位会员现在没有指定的等级")


class ReassessmentUnderWay(Conflict):
    """One at a time: two by different rules would undo each other."""

    code = "members.reassessment_under_way"
    sentence = _("上一次重新评定还没有完成，请稍后再试")


class NoSuchConsentKind(NotFound):
    code = "members.no_such_consent_kind"
    sentence = _("没有这个授权项目")


class NoSuchConsentText(NotFound):
    """A version that does not exist or is not published yet."""

    code = "members.no_such_consent_text"
    sentence = _("没有找到这份授权文本")


class ConsentTextOutdated(Conflict):
    """A newer version was published since she opened the page: she reads it first."""

    code = "members.consent_text_outdated"
    sentence = _("条款已经更新，请看过新的版本再同意")


class ConsentNotGiven(Conflict):
    """There is nothing to withdraw: she never agreed."""

    code = "members.consent_not_given"
    sentence = _("还没有同意过，不需要撤回")


class ConsentDoorUnknown(InvalidInput):
    code = "members.consent_door_unknown"
    sentence = _("授权渠道有误")


class ConsentTextPublished(Conflict):
    """What members were shown is never changed; the next version says it differently."""

    code = "members.consent_text_published"
    sentence = _("已经发布的版本不能修改，请起草新版本")


class ConsentTextUnusable(InvalidInput):
    code = "members.consent_text_unusable"
    sentence = _("标题请填写 1 到 60 个字，正文请填写 1 到 50000 个字")


class ConsentKindUnusable(InvalidInput):
    code = "members.consent_kind_unusable"
    sentence = _("代码请用小写英文字母开头，名称请填写 1 到 20 个字")


class ConsentKindTaken(Conflict):
    code = "members.consent_kind_taken"
    sentence = _("已经有这个代码的授权项目了")


class RevealReasonMissing(InvalidInput):
    """None of the choices, or 其他 without words."""

    code = "members.reveal_reason_missing"
    sentence = _("请选择查看的原因，选“其他”时写几个字")


class NoPhoneToReveal(Refusal):
    code = "members.no_phone_to_reveal"
    sentence = _("这位会员还没有留手机号")


class RevealerUnknown(NotAllowed):
    """Only a guide or a staff account reveals: somebody who can be asked about it."""

    code = "members.revealer_unknown"
    sentence = _("只有导购和后台员工可以查看手机号")


class TooManyReveals(TooMany):
    """`details["limit"]`: doer_hour, doer_day or member_day."""

    code = "members.too_many_reveals"
    sentence = _("今天查看手机号的次数太多了，请稍后再试；有急事请联系总部")


class RevealSpent(Conflict):
    """The same dialog again after the number was shown: it is asked for anew, and counts anew."""

    code = "members.reveal_spent"
    sentence = _("号码已经显示过了，需要时请重新查看")


class NoSuchDataRequest(NotFound):
    code = "members.no_such_data_request"
    sentence = _("没有找到这个申请")


class DataRequestClosed(Conflict):
    code = "members.data_request_closed"
    sentence = _("这个申请已经办结了")


class StillCoolingOff(Conflict):
    """She asked herself and may still think better of it."""

    code = "members.still_cooling_off"
    sentence = _("还在等待期内，会员可以反悔，到期后会自动删除")


class ErasureReasonUnknown(InvalidInput):
    code = "members.erasure_reason_unknown"
    sentence = _("请选择删除的原因")
