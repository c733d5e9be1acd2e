"""Refusals of exchange codes and of sharing to unlock."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooMany


class NoSuchExchangeSet(NotFound):
    code = "coupons.no_such_exchange_set"
    sentence = _("没有找到这批兑换码")


class ExchangeUnusable(InvalidInput):
    """Numbers, words or spans of a set that make no sense; `details["field"]` says which."""

    code = "coupons.exchange_unusable"
    sentence = _("兑换码填写有误")


class ExchangeSetVoided(Conflict):
    code = "coupons.exchange_set_voided"
    sentence = _("这批兑换码已经作废")


class ExchangeFileGone(Conflict):
    """Codes are kept until they are downloaded, and no longer."""

    code = "coupons.exchange_file_gone"
    sentence = _("兑换码只能下载一次，已经下载过了；没有存下来的话，请作废后重新生成一批")


class ExchangeCodeWrong(InvalidInput):
    """No code of ours. `details["tries_left"]` says how often she may still be wrong this hour."""

    code = "coupons.exchange_code_wrong"
    sentence = _("兑换码不对，请核对后再输入")


class ExchangeCodeUsed(Conflict):
    code = "coupons.exchange_code_used"
    sentence = _("这个兑换码已经用过了")


class ExchangeCodeVoided(Conflict):
    code = "coupons.exchange_code_voided"
    sentence = _("这个兑换码已经作废")


class ExchangeNotStarted(Conflict):
    code = "coupons.exchange_not_started"
    sentence = _("还没到兑换时间")


class ExchangeEnded(Conflict):
    code = "coupons.exchange_ended"
    sentence = _("兑换已经截止")


class ExchangeUsedUp(Conflict):
    """The phrase was good for so many members."""

    code = "coupons.exchange_used_up"
    sentence = _("这个口令的名额已经用完")


class TooManyTries(TooMany):
    """Too many wrong codes from this member or this address; `details["retry_after_s"]`."""

    code = "coupons.too_many_tries"
    sentence = _("输错的次数太多了，请过一会儿再试")


class NoSuchOffer(NotFound):
    code = "coupons.no_such_offer"
    sentence = _("没有找到这个活动")


class NoSuchShare(NotFound):
    code = "coupons.no_such_share"
    sentence = _("这个分享链接无效")


class OfferUnusable(InvalidInput):
    """Numbers, words or spans of an offer that make no sense; `details["field"]` says which."""

    code = "coupons.offer_unusable"
    sentence = _("活动填写有误")


class OfferPaused(Conflict):
    code = "coupons.offer_paused"
    sentence = _("活动暂停，请稍后再来")


class OfferNotStarted(Conflict):
    code = "coupons.offer_not_started"
    sentence = _("活动还没开始")


class OfferEnded(Conflict):
    code = "coupons.offer_ended"
    sentence = _("活动已经结束了")


class ShareOver(Conflict):
    """Its time is over, whether or not enough friends came."""

    code = "coupons.share_over"
    sentence = _("这次助力已经截止了")


class OwnShare(Conflict):
    code = "coupons.own_share"
    sentence = _("不能给自己助力，分享给好友吧")


class AlreadyHelped(Conflict):
    """Through another friend's link of the same offer."""

    code = "coupons.already_helped"
    sentence = _("您已经为另一位好友助力过了")


class NotNewMember(NotAllowed):
    """Known to us before the link was made."""

    code = "coupons.not_new_member"
    sentence = _("这个活动只有新朋友可以助力")
