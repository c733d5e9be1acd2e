"""From what WeChat or the network answered to the refusals our own code knows."""

from core.errors import Refusal
from wechat.client.errors import CONFIGURATION_TROUBLE, WeChatError
from wechat.errors import WeChatAway, WeChatRefused


def to_refusal(error: WeChatError) -> Refusal:
    """WeChatAway when coming back later may help, else WeChatRefused with WeChat's code."""
    if error.permanent or error.errcode in CONFIGURATION_TROUBLE:
        return WeChatRefused(errcode=error.errcode)
    return WeChatAway(errcode=error.errcode)
