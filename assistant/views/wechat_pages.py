"""What pages need to ask WeChat's own functions: the signature of their address."""

from django.http import HttpRequest, JsonResponse

from wechat.services import accounts, jsapi


def answer_signature(request: HttpRequest) -> JsonResponse:
    """What `wx.config` needs on the page whose `url` is asked for. Raises ForeignPage for any other site's."""
    account = accounts.get_default_official()
    signed = jsapi.sign_page(account_id=account.id, url=request.GET.get("url", "")[:1000])
    return JsonResponse(
        {
            "appId": signed.app_id,
            "timestamp": signed.timestamp,
            "nonceStr": signed.nonce_str,
            "signature": signed.signature,
        }
    )
