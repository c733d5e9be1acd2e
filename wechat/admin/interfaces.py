"""What each of WeChat's interfaces does, in the words of people who do not know its paths."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NAMES: Final[Mapping[str, str | Promise]] = {
    "/cgi-bin/stable_token": _("取接口令牌"),
    "/cgi-bin/token": _("取接口令牌"),
    "/cgi-bin/callback/check": _("检查网络"),
    "/cgi-bin/clear_quota": _("用量清零"),
    "/cgi-bin/clear_quota/v2": _("用量清零"),
    "/cgi-bin/openapi/quota/get": _("查用量"),
    "/cgi-bin/openapi/rid/get": _("查请求号"),
    "/cgi-bin/draft/batchget": _("读草稿箱"),
    "/cgi-bin/material/get_material": _("取永久素材"),
    "/cgi-bin/media/upload": _("上传图片"),
    "/cgi-bin/media/get": _("取素材"),
    "/cgi-bin/media/get/jssdk": _("取语音素材"),
    "/cgi-bin/menu/create": _("发布菜单"),
    "/cgi-bin/menu/get": _("读菜单"),
    "/cgi-bin/menu/delete": _("删除菜单"),
    "/cgi-bin/menu/addconditional": _("发布个性化菜单"),
    "/cgi-bin/menu/delconditional": _("删除个性化菜单"),
    "/cgi-bin/menu/trymatch": _("看某位粉丝的菜单"),
    "/cgi-bin/get_current_selfmenu_info": _("读现在用的菜单"),
    "/cgi-bin/message/custom/send": _("发客服消息"),
    "/cgi-bin/message/custom/typing": _("显示正在输入"),
    "/cgi-bin/message/template/send": _("发模板消息"),
    "/cgi-bin/message/subscribe/send": _("发订阅消息"),
    "/cgi-bin/template/get_all_private_template": _("读模板列表"),
    "/wxaapi/newtmpl/gettemplate": _("读模板列表"),
    "/cgi-bin/message/mass/sendall": _("群发给所有人或标签"),
    "/cgi-bin/message/mass/send": _("群发给名单"),
    "/cgi-bin/message/mass/preview": _("预览群发"),
    "/cgi-bin/message/mass/get": _("查群发结果"),
    "/cgi-bin/message/mass/delete": _("删除群发的图文"),
    "/cgi-bin/qrcode/create": _("生成二维码"),
    "/cgi-bin/showqrcode": _("取二维码图片"),
    "/cgi-bin/ticket/getticket": _("取网页票据"),
    "/cgi-bin/user/get": _("读粉丝列表"),
    "/cgi-bin/user/info": _("查一位粉丝"),
    "/cgi-bin/user/info/batchget": _("批量查粉丝"),
    "/cgi-bin/user/info/updateremark": _("改粉丝备注"),
    "/cgi-bin/user/tag/get": _("读标签下的粉丝"),
    "/cgi-bin/tags/create": _("新建标签"),
    "/cgi-bin/tags/get": _("读标签"),
    "/cgi-bin/tags/update": _("改标签"),
    "/cgi-bin/tags/delete": _("删除标签"),
    "/cgi-bin/tags/getidlist": _("查粉丝的标签"),
    "/cgi-bin/tags/members/batchtagging": _("给粉丝打标签"),
    "/cgi-bin/tags/members/batchuntagging": _("取消粉丝的标签"),
    "/sns/auth": _("检查网页登录"),
    "/sns/jscode2session": _("小程序登录"),
    "/sns/oauth2/access_token": _("网页登录"),
    "/sns/oauth2/refresh_token": _("网页登录续期"),
    "/sns/userinfo": _("取昵称头像"),
    "/wxa/business/checkencryptedmsg": _("核对加密数据"),
    "/wxa/business/getuserphonenumber": _("取手机号"),
    "/wxa/checksession": _("检查小程序登录"),
    "/wxa/getwxacode": _("生成小程序码"),
    "/wxa/getwxacodeunlimit": _("生成小程序码"),
    "/wxa/msg_sec_check": _("检查文字内容"),
}


def interface_name(path: str) -> str:
    """What the interface is called; an unknown one by its path."""
    return str(NAMES.get(path, path))
