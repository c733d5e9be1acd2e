"""The refusals of `guides`."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound, Refusal, TooMany


class MemberAlreadyBound(Conflict):
    """A live binding exists; taking her over is `rebind_member`, a decision of its own."""

    code = "guides.member_already_bound"
    sentence = _("这位会员已经有专属导购了")


class MemberNotBound(Conflict):
    code = "guides.member_not_bound"
    sentence = _("这位会员现在没有专属导购")


class RequestKeyReused(Conflict):
    """The same key came with another request; answering with the first result would be wrong."""

    code = "guides.request_key_reused"
    sentence = _("这次请求与之前的不一致，请重新操作")


class ChangeReasonUnknown(InvalidInput):
    code = "guides.change_reason_unknown"
    sentence = _("请选择更换导购的原因")


class GuideChangedLately(Conflict):
    """She chose her guide herself not long ago; `details["free_on"]` is the day from which she may again."""

    code = "guides.guide_changed_lately"
    sentence = _("您最近刚更换过导购，过些天才能再换")


class NoSuchGuide(NotFound):
    code = "guides.no_such_guide"
    sentence = _("没有找到这位导购")


class GuideHasLeft(Refusal):
    code = "guides.guide_has_left"
    sentence = _("这位导购已经离职")


class GuideStillHere(Conflict):
    code = "guides.guide_still_here"
    sentence = _("这位导购还在职")


class GuideNumberTaken(Conflict):
    code = "guides.guide_number_taken"
    sentence = _("这个工号已经有人用了")


class GuideUnusable(InvalidInput):
    code = "guides.guide_unusable"
    sentence = _("请填写工号和姓名")


class StoreClosed(Refusal):
    code = "guides.store_closed"
    sentence = _("这家门店已经停业")


class StoreHasGuides(Conflict):
    """A closed store with guides in it would leave their members without a place."""

    code = "guides.store_has_guides"
    sentence = _("门店里还有在职导购，请先调店或办理离职")


class StoreCodeTaken(Conflict):
    code = "guides.store_code_taken"
    sentence = _("这个门店编号已经有了")


class StoreUnusable(InvalidInput):
    code = "guides.store_unusable"
    sentence = _("门店资料有误，请检查编号、名称、位置和营业时间")


class DealerCodeTaken(Conflict):
    code = "guides.dealer_code_taken"
    sentence = _("这个经销商编号已经有了")


class DealerUnusable(InvalidInput):
    code = "guides.dealer_unusable"
    sentence = _("请填写经销商编号和名称")


class RegionNameTaken(Conflict):
    code = "guides.region_name_taken"
    sentence = _("同一个上级下已经有这个区域名称了")


class RegionUnusable(InvalidInput):
    code = "guides.region_unusable"
    sentence = _("区域名称请填写 1 到 40 个字，层级不超过 10 层")


class RegionInsideItself(InvalidInput):
    """A region below itself would cut its whole subtree off the tree."""

    code = "guides.region_inside_itself"
    sentence = _("不能把区域移到它自己的下级里")


class ActivationCodeUnusable(InvalidInput):
    """Wrong, expired, used and revoked look the same: whoever guesses learns nothing."""

    code = "guides.activation_code_unusable"
    sentence = _("激活码不可用，请向店长或总部要一个新的")


class TooManyActivationTries(TooMany):
    code = "guides.too_many_activation_tries"
    sentence = _("输错次数太多，请一小时后再试")


class WeChatAlreadyActivated(Conflict):
    """One WeChat account is one guide."""

    code = "guides.wechat_already_activated"
    sentence = _("这个微信已经绑定了另一位导购")


class GuideAlreadyActivated(Conflict):
    """The guide logs in with another WeChat account; staff removes that login first."""

    code = "guides.guide_already_activated"
    sentence = _("这位导购已经用另一个微信激活过，请联系总部解除")


class ChannelCodeClosed(Refusal):
    code = "guides.channel_code_closed"
    sentence = _("这个码已经停用")


class ChannelCodeUnusable(InvalidInput):
    code = "guides.channel_code_unusable"
    sentence = _("渠道码资料有误，请检查导购、门店和有效期")


class NoteUnusable(InvalidInput):
    code = "guides.note_unusable"
    sentence = _("请写 1 到 500 个字")


class RemarkUnusable(InvalidInput):
    code = "guides.remark_unusable"
    sentence = _("称呼最多 20 个字")


class MemberIsNamed(Conflict):
    """She has told her name; a made-up one beside it would only confuse."""

    code = "guides.member_is_named"
    sentence = _("会员已经登记了姓名，不用另起称呼")


class NoSuchRequest(NotFound):
    """Unknown, somebody else's, another store's: all look the same."""

    code = "guides.no_such_request"
    sentence = _("没有找到这个服务请求")


class RequestWordsUnusable(InvalidInput):
    code = "guides.request_words_unusable"
    sentence = _("请用 1 到 300 个字说明")


class RequestKindClosed(Refusal):
    """Unknown and switched off look the same."""

    code = "guides.request_kind_closed"
    sentence = _("这项服务暂不提供，请选择其他服务")


class RequestKindUnusable(InvalidInput):
    code = "guides.request_kind_unusable"
    sentence = _("服务类型资料有误，请检查名称和时限")


class RequestKindNameTaken(Conflict):
    code = "guides.request_kind_name_taken"
    sentence = _("这个服务类型已经有了")


class RequestTimeUnusable(InvalidInput):
    """Missing where the kind wants one, over, or more than a year ahead."""

    code = "guides.request_time_unusable"
    sentence = _("请选择从现在起一年以内的时间")


class RequestStoreMissing(InvalidInput):
    """She has no guide at work, so nobody knows which store is meant."""

    code = "guides.request_store_missing"
    sentence = _("请选择一家门店")


class TooManyRequests(TooMany):
    code = "guides.too_many_requests"
    sentence = _("您还有好几个请求在处理，请等它们完成后再提交")


class RequestMovedOn(Conflict):
    """The request is in a state from which this is not possible; `details["state"]` says which."""

    code = "guides.request_moved_on"
    sentence = _("这个请求的状态已经变了，请看最新进展")


class RequestTaken(Conflict):
    """A colleague was faster, or it was given to another guide."""

    code = "guides.request_taken"
    sentence = _("这个请求已由同事接手")


class NotYourColleague(InvalidInput):
    """Handing on is within the store; across stores is the staff's to do."""

    code = "guides.not_your_colleague"
    sentence = _("只能转交给本店在职的同事")


class NoSuchFollowUp(NotFound):
    """Unknown, or not hers."""

    code = "guides.no_such_follow_up"
    sentence = _("没有这个任务，可能已经转给别人")


class FollowUpMovedOn(Conflict):
    """It is done, dropped or somebody else's by now."""

    code = "guides.follow_up_moved_on"
    sentence = _("这个任务的状态已经变了，请刷新后再看")


class FollowUpUnfit(InvalidInput):
    """`details["field"]` names what is missing or too long."""

    code = "guides.follow_up_unfit"
    sentence = _("请选择结果；备注最多 200 个字")


class FollowUpRoundUnfit(InvalidInput):
    """`details["field"]` names what is missing, too long, or no day to do it by."""

    code = "guides.follow_up_round_unfit"
    sentence = _("请填写缘由和话术，截止日期要在今天到 30 天之内")


class FollowUpRoundTooLarge(Refusal):
    code = "guides.follow_up_round_too_large"
    sentence = _("一次最多交给导购 20,000 位会员，请缩小筛选范围再来")


class FollowerTagLinked(Refusal):
    """One tag of WeChat's follows one tag of ours, or leads it."""

    code = "guides.follower_tag_linked"
    http_status = 409
    sentence = _("这个微信标签已经有对应的会员标签，请先停用原来的对应")


class FollowUpTooOld(Refusal):
    """What was done on an earlier day stands in the numbers of that day."""

    code = "guides.follow_up_too_old"
    sentence = _("只能撤销今天完成的任务")


class WindowClosed(Conflict):
    """WeChat takes no message to her until she writes again."""

    code = "guides.window_closed"
    sentence = _("已过微信允许回复的时间，等她再发来消息才能回复")


class AnswerEmpty(InvalidInput):
    code = "guides.answer_empty"
    sentence = _("请先写要回复的话")


class AnswerTooLong(InvalidInput):
    code = "guides.answer_too_long"
    sentence = _("太长了，微信一次最多收约 680 个汉字，请分几次发")


class MemberHasGuide(Conflict):
    """Whose a conversation is, a live binding to a guide at work says."""

    code = "guides.member_has_guide"
    sentence = _("她已经有在职的专属导购，由导购回复；要换导购请到会员页面")


class QuickReplyUnusable(InvalidInput):
    """`details["field"]` names what is empty or too long."""

    code = "guides.quick_reply_unusable"
    sentence = _("标题 1 到 30 个字，内容 1 到 500 个字，分类最多 20 个字")


class QuickReplyTitleTaken(Conflict):
    code = "guides.quick_reply_title_taken"
    sentence = _("已经有同名的话术了")


class QuickReplyPlaceUnknown(InvalidInput):
    """`details["place"]` is what stands in the braces."""

    code = "guides.quick_reply_place_unknown"
    sentence = _("花括号里只能写 {会员}、{门店}、{导购}")
