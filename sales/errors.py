"""The refusals of `sales`."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound


class DocumentUnusable(InvalidInput):
    """A document nobody can read: a field is missing, of the wrong kind or absurd; `details["field"]` says which."""

    code = "sales.document_unusable"
    sentence = _("单据填写有误，请核对标出的字段")


class AmountsDisagree(InvalidInput):
    """Lines and total, or list price and what was paid, do not fit together."""

    code = "sales.amounts_disagree"
    sentence = _("单据金额前后不一致，请核对明细和合计")


class FromTheFuture(InvalidInput):
    """Later than now by more than a till's clock explains."""

    code = "sales.from_the_future"
    sentence = _("单据时间晚于现在，请核对收银机的时钟")


class DocumentConflict(Conflict):
    """The same number was booked with another content; a person decides."""

    code = "sales.document_conflict"
    sentence = _("同一单号已按不同内容入账，请到待处理单据中核对")


class FactUnusable(InvalidInput):
    """Of a kind that nobody counts, without a row of its own, or of neither a guide nor a store."""

    code = "sales.fact_unusable"
    sentence = _("这项业绩不能入账：缺少来源，或没有导购和门店")


class UnknownStore(NotFound):
    code = "sales.unknown_store"
    sentence = _("没有这个门店编号，请先登记门店")


class UnknownGuide(NotFound):
    code = "sales.unknown_guide"
    sentence = _("没有这个导购工号，请先登记导购")


class UnknownMember(NotFound):
    code = "sales.unknown_member"
    sentence = _("没有找到单据上的会员，请核对或先登记会员")


class UnknownOrder(NotFound):
    """A return whose order has not come yet; it is booked when the order comes."""

    code = "sales.unknown_order"
    sentence = _("原订单还没有收到，收到后会自动入账")


class ReturnTooLarge(Conflict):
    code = "sales.return_too_large"
    sentence = _("退货超过了原订单剩余的数量或金额")


class CorrectedBelowReturned(Conflict):
    """A correction that leaves less than what came back already."""

    code = "sales.corrected_below_returned"
    sentence = _("更正后的订单少于已退的数量或金额，请先核对退货单")


class NoSuchSale(NotFound):
    code = "sales.no_such_sale"
    sentence = _("没有找到这张销售单")


class NoSuchDocument(NotFound):
    code = "sales.no_such_document"
    sentence = _("没有找到这张单据")


class SharesUnusable(InvalidInput):
    """One to four parts, whole basis points, together 10,000; a guide not twice."""

    code = "sales.shares_unusable"
    sentence = _("归属份额有误：合计必须是 100%，同一位导购不能出现两次")


class AttributionChanged(Conflict):
    """Somebody decided about the sale since the page was drawn."""

    code = "sales.attribution_changed"
    sentence = _("这张单的归属刚刚被别人改过，请刷新后再看")


class RuleUnusable(InvalidInput):
    code = "sales.rule_unusable"
    sentence = _("归属规则填写有误")


class ReasonMissing(InvalidInput):
    code = "sales.reason_missing"
    sentence = _("请写明原因，最多 120 个字")


class NothingToMend(InvalidInput):
    """What waits is not of the kind that this mends."""

    code = "sales.nothing_to_mend"
    sentence = _("这张单据不能这样处理")


class StillHeld(Conflict):
    """The document cannot be booked as it was decided; `details["reason"]` is the code of what stands in the way."""

    code = "sales.still_held"
    sentence = _("还不能入账")


class AliasUnusable(InvalidInput):
    code = "sales.alias_unusable"
    sentence = _("请选择这个编号对应的门店或导购")


class NoSuchAlias(NotFound):
    code = "sales.no_such_alias"
    sentence = _("这个编号对应已经变了，请刷新后再看")


class AliasTaken(Conflict):
    code = "sales.alias_taken"
    sentence = _("这个编号后来对应了别的门店或导购，请先取消那一个")


class NotDiscarded(Conflict):
    code = "sales.not_discarded"
    sentence = _("这张单据没有作废，不能恢复")


class NoSuchRule(NotFound):
    code = "sales.no_such_rule"
    sentence = _("没有找到这条归属规则")


class CatalogUnusable(InvalidInput):
    code = "sales.catalog_unusable"
    sentence = _("商品名称或文件不能用：名称太长，或行数超过 20 万")


class NoSuchJob(NotFound):
    code = "sales.no_such_job"
    sentence = _("没有找到这次批量处理")


class AlreadySettled(Conflict):
    code = "sales.already_settled"
    sentence = _("这张单据已经处理过了")


class MonthClosed(Conflict):
    code = "sales.month_closed"
    sentence = _("这个月已经关账")


class MonthNotClosed(Conflict):
    code = "sales.month_not_closed"
    sentence = _("这个月还没有关账")


class MonthNotOver(Conflict):
    code = "sales.month_not_over"
    sentence = _("这个月还没有结束，不能关账")


class RequestReused(Conflict):
    code = "sales.request_reused"
    sentence = _("这个请求编号已经用于另一次操作")


class TargetUnusable(InvalidInput):
    """A target that is negative or beyond a trillion yuan, or for a metric that has none."""

    code = "sales.target_unusable"
    sentence = _("目标填写有误：请填写不小于 0 的金额，最多到分")


class NoSuchTargetSubject(NotFound):
    """A target for a region, store or guide that does not exist."""

    code = "sales.no_such_target_subject"
    sentence = _("没有找到这个区域、门店或导购")


class NothingToSplit(Conflict):
    """No target to split, or nobody below to split it among."""

    code = "sales.nothing_to_split"
    sentence = _("没有可以分解的目标，或下面没有在营门店或在职导购")


class FixedPartsDisagree(Conflict):
    """The numbers that were decided by hand are more than the whole, or they are all there is and do not make it up."""

    code = "sales.fixed_parts_disagree"
    sentence = _("手工定好的目标合计和上级目标对不上，请先调整上级目标或放开手工定的数")


class SplitChanged(Conflict):
    """What was looked at is not what would be saved now."""

    code = "sales.split_changed"
    sentence = _("目标在您预览之后有变化，请重新预览再保存")


class TargetFileUnusable(InvalidInput):
    """The table has no column for the number of a region, store or guide, or none for the target."""

    code = "sales.target_file_unusable"
    sentence = _("表格里要有「编号」（区域名、门店编号或导购工号）和「目标」两列")


class CommissionRuleUnusable(InvalidInput):
    """A rule that cannot be applied; `details["field"]` and the sentence say what to change."""

    code = "sales.commission_rule_unusable"
    sentence = _("提成规则填写有误，请核对标出的内容")


class NoSuchCommissionRule(NotFound):
    code = "sales.no_such_commission_rule"
    sentence = _("没有找到这条提成规则")


class CommissionOutOfOrder(Conflict):
    """A month before is not closed, or a later one is: months are settled one after the other."""

    code = "sales.commission_out_of_order"
    sentence = _("提成要按月份先后结算：请先关好上一个月，再打开时从最近的月份开始")


class CommissionNotOpen(Conflict):
    code = "sales.commission_not_open"
    sentence = _("这个月的提成单已经生成，或者已经关账")


class CommissionBeingPrepared(Conflict):
    """Statements of one month would be made by two different sets of rules."""

    code = "sales.commission_being_prepared"
    sentence = _("正在生成提成单，等它完成或者退回之后再改规则")


class CommissionNotPrepared(Conflict):
    code = "sales.commission_not_prepared"
    sentence = _("这个月还没有生成待确认的提成单")


class CommissionNotClosed(Conflict):
    code = "sales.commission_not_closed"
    sentence = _("这个月的提成还没有关账")


class CommissionChanged(Conflict):
    """What was looked at is not what would be closed."""

    code = "sales.commission_changed"
    sentence = _("提成单在您查看之后重新生成过，请再核对一遍")


class NoSuchStatement(NotFound):
    code = "sales.no_such_statement"
    sentence = _("没有找到这份提成单")


class RfmRulesUnusable(InvalidInput):
    """Cut-offs that do not rise, a number out of bounds, a name that is empty or used twice; the field says which."""

    code = "sales.rfm_rules_unusable"
    sentence = _("RFM 设置有误：各档要从小到大、都大于 0，名称不能为空也不能重复")


class NoSuchIntake(NotFound):
    code = "sales.no_such_intake"
    sentence = _("没有找到这次导入")


class IntakeMappingUnusable(InvalidInput):
    """A target twice, one that is missing, or an option that a column needs; `details["field"]` names it."""

    code = "sales.intake_mapping_unusable"
    sentence = _("列的对应不完整")


class IntakeSourceUnusable(InvalidInput):
    code = "sales.intake_source_unusable"
    sentence = _("请填写来源系统，最多 16 个字母、数字、点、横线或下划线")


class IntakeNotInThisState(Conflict):
    """Somebody or some worker took it further meanwhile."""

    code = "sales.intake_not_in_this_state"
    sentence = _("这次导入的状态已经变了，请刷新后再看")


class IntakeStuck(Conflict):
    """Taken up again and again without a step forward."""

    code = "sales.intake_stuck"
    sentence = _("导入反复中断，请联系技术人员")


class NoSuchReview(NotFound):
    code = "sales.no_such_review"
    sentence = _("没有找到这条评价邀请")


class ReviewAnswered(Conflict):
    """She said something else before; the first answer stands."""

    code = "sales.review_answered"
    sentence = _("这笔订单您已经评价过了")


class ReviewOver(Conflict):
    """Its time is over, or the goods came back."""

    code = "sales.review_over"
    sentence = _("评价时间已过，谢谢您的关注")


class ReviewUnusable(InvalidInput):
    """`details["field"]`: score or words."""

    code = "sales.review_unusable"
    sentence = _("请打 1 到 5 分，文字不超过 280 个字")
