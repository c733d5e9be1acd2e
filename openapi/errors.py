"""The refusals of the API for tills; those that every API has are in `rest.errors`."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, Refusal


class NotSigned(Refusal):
    """The base of all that mean: this request proves no key."""

    code = "openapi.not_signed"
    http_status = 401
    sentence = _("签名不正确，请检查密钥和签名方法")


class SignatureMissing(NotSigned):
    """One of the four headers is missing."""

    code = "openapi.signature_missing"
    sentence = _("请求没有签名")


class SignatureWrong(NotSigned):
    """Unknown or revoked key, old secret, another body, a bent header: which of them is not told."""

    code = "openapi.signature_wrong"


class ClockSkewed(NotSigned):
    """More than five minutes from ours; told before the key is looked at, so it says nothing about it.
    `details["server_time"]` is ours, in Unix seconds."""

    code = "openapi.clock_skewed"
    sentence = _("收银机的时钟和服务器相差超过 5 分钟，请校准时间")


class Replayed(NotSigned):
    """The very same signed request was here before; a repeat is signed anew, with its old Idempotency-Key."""

    code = "openapi.replayed"
    sentence = _("这个签名已经用过了，请重新签名再发")


class ScopeMissing(NotAllowed):
    """`details["scope"]` names what the key lacks."""

    code = "openapi.scope_missing"
    sentence = _("这个密钥没有这项权限，请在后台的接口密钥里开通")


class IdempotencyKeyMissing(InvalidInput):
    """Every write has an `Idempotency-Key` of 1 to 60 letters, digits and `_ - . :`."""

    code = "openapi.idempotency_key_missing"
    sentence = _("写操作要带 Idempotency-Key")


class IdempotencyKeyReused(Conflict):
    """The key came with another request before."""

    code = "openapi.idempotency_key_reused"
    sentence = _("这个 Idempotency-Key 已经用于另一个请求")


class InFlight(Conflict):
    """The same request is being worked on; ask again after `details["retry_after_s"]`."""

    code = "openapi.in_flight"
    sentence = _("同一个请求正在处理，请稍后用同一个 Idempotency-Key 再查")


class NoSuchStore(NotFound):
    """Unknown, or not this key's: the two look the same."""

    code = "openapi.no_such_store"
    sentence = _("没有找到这家门店，请核对门店编号")


class StoreMissing(InvalidInput):
    """A key of a dealer or of the whole chain says for which store it asks."""

    code = "openapi.store_missing"
    sentence = _("请带上门店编号 store")


class ChainOnly(NotAllowed):
    """Products, categories, what members do and segments belong to the whole chain, not to one store or dealer."""

    code = "openapi.chain_only"
    sentence = _("只有适用于整个连锁的密钥可以登记商品、类目和会员行为，查询和修改人群")


class VisitOver(Refusal):
    """Not one we gave to this key, or older than two hours."""

    code = "openapi.visit_over"
    http_status = 403
    sentence = _("请再扫一次会员码")


class NoSuchClient(NotFound):
    code = "openapi.no_such_client"
    sentence = _("没有找到这个接口密钥")


class ClientRevoked(Conflict):
    code = "openapi.client_revoked"
    sentence = _("这个密钥已经停用，请新建一个")


class ClientUnusable(InvalidInput):
    """`details["field"]` says what is wrong."""

    code = "openapi.client_unusable"
    sentence = _("填写有误，请检查名称、权限和适用范围")
