"""The refusals of `coupons`."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, Refusal


class NoSuchTemplate(NotFound):
    code = "coupons.no_such_template"
    sentence = _("没有找到这个券模板")


class NoSuchBatch(NotFound):
    code = "coupons.no_such_batch"
    sentence = _("没有找到这批券，可能已经下架")


class NoSuchCoupon(NotFound):
    """Unknown, mistyped, or another member's: the three look the same."""

    code = "coupons.no_such_coupon"
    sentence = _("没有找到这张券，请核对券码")


class NoSuchRedemption(NotFound):
    code = "coupons.no_such_redemption"
    sentence = _("没有找到这次核销")


class NoSuchGift(NotFound):
    code = "coupons.no_such_gift"
    sentence = _("这个赠券链接无效")


class NoSuchJob(NotFound):
    code = "coupons.no_such_job"
    sentence = _("没有找到这次批量发券")


class JobNotInThisState(Conflict):
    """Somebody else has paused, stopped or finished it meanwhile."""

    code = "coupons.job_not_in_this_state"
    sentence = _("这次批量发券已经是别的状态，请刷新页面再看")


class AudienceEmpty(InvalidInput):
    code = "coupons.audience_empty"
    sentence = _("没有符合条件的会员，请放宽条件")


class ListMissing(InvalidInput):
    code = "coupons.list_missing"
    sentence = _("请选择名单文件")


class ListTooLong(InvalidInput):
    """More lines than one request can look up."""

    code = "coupons.list_too_long"
    sentence = _("名单最多 10 万行；更多的人请先导入会员并打上标签，再按标签发")


class TemplateUnusable(InvalidInput):
    """Terms that make no sense; `details["field"]` says which, the message what to do."""

    code = "coupons.template_unusable"
    sentence = _("券模板填写有误")


class BatchUnusable(InvalidInput):
    """As above, for a batch."""

    code = "coupons.batch_unusable"
    sentence = _("批次填写有误")


class TemplateFrozen(Conflict):
    """People hold coupons under these terms; a new version of the series takes the change."""

    code = "coupons.template_frozen"
    sentence = _("这个模板已经开始发放，条款不能再改；请另存为新版本，已发出的券不受影响")


class TemplateRetired(Conflict):
    code = "coupons.template_retired"
    sentence = _("这个模板已停用，不能再发放")


class BatchFrozen(Conflict):
    """Once opened, limits and doors may change, the template and the cost may not."""

    code = "coupons.batch_frozen"
    sentence = _("这个批次已经开始发放，不能再改单张成本；数量和预算请用追加")


class BatchNotOpen(Conflict):
    code = "coupons.batch_not_open"
    sentence = _("这批券还没有开始发放")


class BatchPaused(Conflict):
    code = "coupons.batch_paused"
    sentence = _("这批券暂停发放，请稍后再来")


class BatchNotStarted(Conflict):
    code = "coupons.batch_not_started"
    sentence = _("还没到领取时间")


class BatchEnded(Conflict):
    code = "coupons.batch_ended"
    sentence = _("这批券已经结束了")


class BatchSoldOut(Conflict):
    code = "coupons.batch_sold_out"
    sentence = _("券已经领完了")


class BudgetSpent(Conflict):
    code = "coupons.budget_spent"
    sentence = _("这批券的预算已经用完")


class OverMemberLimit(Conflict):
    code = "coupons.over_member_limit"
    sentence = _("已经达到每人限领的张数")


class OverDailyLimit(Conflict):
    code = "coupons.over_daily_limit"
    sentence = _("今天的已经领过了，明天再来")


class GuideQuotaSpent(Conflict):
    code = "coupons.guide_quota_spent"
    sentence = _("您这个周期的发券额度已经用完")


class WrongDoor(NotAllowed):
    code = "coupons.wrong_door"
    sentence = _("这批券不能从这里领取")


class WrongTier(NotAllowed):
    code = "coupons.wrong_tier"
    sentence = _("这张券只给指定等级的会员")


class GuideMissing(InvalidInput):
    """Doors of a guide need the guide, other doors must not name one."""

    code = "coupons.guide_missing"
    sentence = _("导购发券需要指明是哪位导购")


class RequestKeyUnusable(InvalidInput):
    """1 to 80 letters, digits and `_ - . : /`."""

    code = "coupons.request_key_unusable"
    sentence = _("请求编号有误")


class RequestReused(Conflict):
    """The same key came with another request; answering with the first result would be wrong."""

    code = "coupons.request_reused"
    sentence = _("这个请求编号已经用于另一次操作")


class CouponLocked(Conflict):
    code = "coupons.coupon_locked"
    sentence = _("这张券正被另一个订单占用，请稍后再试")


class LockLost(Conflict):
    """Not locked by this key (any more)."""

    code = "coupons.lock_lost"
    sentence = _("这张券的占用已经失效，请重新操作")


class CouponRedeemed(Conflict):
    code = "coupons.coupon_redeemed"
    sentence = _("这张券已经用过了")


class CouponExpired(Conflict):
    code = "coupons.coupon_expired"
    sentence = _("这张券已经过期")


class CouponVoided(Conflict):
    code = "coupons.coupon_voided"
    sentence = _("这张券已经作废")


class CouponGifting(Conflict):
    code = "coupons.coupon_gifting"
    sentence = _("这张券正在转赠中，收回后才能使用")


class NotYetValid(Conflict):
    code = "coupons.not_yet_valid"
    sentence = _("这张券还没到可用日期")


class WrongStore(NotAllowed):
    code = "coupons.wrong_store"
    sentence = _("这张券不能在这家门店使用")


class WrongChannel(NotAllowed):
    code = "coupons.wrong_channel"
    sentence = _("这张券不能在这个渠道使用")


class WrongTime(NotAllowed):
    code = "coupons.wrong_time"
    sentence = _("现在不在这张券的可用时段")


class BelowMinimumSpend(Conflict):
    code = "coupons.below_minimum_spend"
    sentence = _("消费金额没有达到使用门槛")


class BelowMinimumQuantity(Conflict):
    code = "coupons.below_minimum_quantity"
    sentence = _("购买件数没有达到使用门槛")


class PartnerCoupon(Conflict):
    code = "coupons.partner_coupon"
    sentence = _("这张券由合作方核销，请在合作方使用")


class AmountUnusable(InvalidInput):
    """Whole fen from 0 to ten million yuan; the discount at most the amount and at most what the coupon can give."""

    code = "coupons.amount_unusable"
    sentence = _("金额有误，请核对订单金额和优惠金额")


class OrderUnusable(InvalidInput):
    code = "coupons.order_unusable"
    sentence = _("请填写订单号，最多 64 个字符")


class RedeemedAtUnusable(InvalidInput):
    """Later than now, or too long ago, beyond what a till's clock and a day offline explain."""

    code = "coupons.redeemed_at_unusable"
    sentence = _("核销时间与系统时间相差太大，请核对收银机的时钟")


class AlreadyReversed(Conflict):
    code = "coupons.already_reversed"
    sentence = _("这次核销已经撤销过了")


class UndoTooLate(Conflict):
    """A store takes back what it redeemed today; later it is a return, or head office's."""

    code = "coupons.undo_too_late"
    sentence = _("只能撤销当天的核销，隔天请走退货或联系总部")


class ReasonMissing(InvalidInput):
    code = "coupons.reason_missing"
    sentence = _("请写明原因，最多 120 个字")


class NotGiftable(NotAllowed):
    code = "coupons.not_giftable"
    sentence = _("这张券不能转赠")


class GiftGone(Conflict):
    """Taken by another, taken back, or too late."""

    code = "coupons.gift_gone"
    sentence = _("这张券已经被领走或收回了")


class OwnGift(Conflict):
    code = "coupons.own_gift"
    sentence = _("不能领取自己送出的券，可以收回")


class CodeUnusable(InvalidInput):
    """A screen's code that is wrong, over, or was read before: which of them is not told."""

    code = "coupons.code_unusable"
    sentence = _("券码已失效，请会员刷新页面后再扫")


class PartnerBatch(Conflict):
    """What needs a batch of our own codes, or one of a partner's, came with the other."""

    code = "coupons.partner_batch"
    sentence = _("合作方券码的批次只能通过导入券码增加数量")


# What the database functions answer (migration 0001), and how it is said.
OF_OUTCOME: Final[Mapping[str, type[Refusal]]] = {
    "no_batch": NoSuchBatch,
    "draft": BatchNotOpen,
    "paused": BatchPaused,
    "not_started": BatchNotStarted,
    "ended": BatchEnded,
    "wrong_door": WrongDoor,
    "wrong_tier": WrongTier,
    "sold_out": BatchSoldOut,
    "budget_spent": BudgetSpent,
    "over_limit": OverMemberLimit,
    "over_daily_limit": OverDailyLimit,
    "guide_quota_spent": GuideQuotaSpent,
}
