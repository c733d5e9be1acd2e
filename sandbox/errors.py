"""The two ways to say no: as WeChat does to an API caller, and as the scripting API does to a test."""

import secrets
import time

# Texts as the global return code page words them; the number is the protocol, the text is not.
TEXTS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40004: "invalid media type",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40015: "invalid menu type",
    40016: "invalid button size",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40022: "invalid sub button level",
    40024: "invalid sub button type",
    40025: "invalid sub button name size",
    40026: "invalid sub button key size",
    40027: "invalid sub button url size",
    40029: "invalid code",
    40030: "invalid refresh_token",
    40032: "invalid openid list size",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40037: "invalid template_id",
    40052: "invalid action name",
    40053: "invalid action info",
    40055: "invalid button url domain",
    40059: "invalid msg id",
    40066: "invalid url",
    40097: "invalid args",
    40125: "invalid appsecret",
    40129: "invalid scene",
    40132: "invalid username",
    40163: "code been used",
    40164: "invalid ip, not in whitelist",
    40169: "invalid length for scene, or the data is not json string",
    40226: "user is not allowed to login, high risk",
    41001: "access_token missing",
    41002: "appid missing",
    41003: "refresh_token missing",
    41004: "appsecret missing",
    41005: "media data missing",
    41006: "media_id missing",
    41008: "missing code",
    41009: "missing openid",
    41030: "invalid page",
    42001: "access_token expired",
    42002: "refresh_token expired",
    42003: "code expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    44002: "empty post data",
    44004: "empty content",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45010: "create menu limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45028: "has no masssend quota",
    45029: "qrcode count out of limit",
    45047: "out of response count limit",
    45056: "too many tags, please delete unuseful tags",
    45057: "can't delete the tag that has too many fans",
    45058: "can't modify sys tag",
    45059: "can't set too many tags for a fans",
    45065: "clientmsgid exist",
    45066: "same clientmsgid retry too fast",
    45067: "clientmsgid length exceed limit",
    45080: "can not send typing command, need interaction within 30 seconds",
    45081: "already in typing state",
    45084: "invalid speed",
    45157: "invalid tag name",
    45158: "tag name is too long",
    45159: "invalid tag id",
    46003: "menu no exist",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
    48002: "user block the message from this account",
    48006: "forbid to clear quota because of reaching the limit",
    87009: "invalid signature",
    65301: "no this menuid",
    65303: "there is no selfmenu, please create selfmenu first",
    65304: "match rule empty",
    65305: "menu count limit",
    65316: "menu has too many external domains",
    65320: "match rule with private condition is not supported",
}


def new_rid() -> str:
    """Return a request id in the shape WeChat appends to errmsg."""
    return f"{int(time.time()):08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"


class WeChatRefusal(Exception):
    """The platform refuses a call: answered with HTTP 200 and this errcode."""

    def __init__(self, errcode: int, detail: str = "") -> None:
        self.errcode = errcode
        text = TEXTS.get(errcode, "error")
        glue = " " if text.endswith("!") else ": "  # as the page of the subscribe message has it
        self.errmsg = f"{text}{glue + detail if detail else ''} rid: {new_rid()}"
        super().__init__(self.errmsg)

    def body(self) -> dict[str, int | str]:
        """Return the error envelope."""
        return {"errcode": self.errcode, "errmsg": self.errmsg}


class ScriptError(Exception):
    """The scripting API refuses: `{"error": code, "message": text}` with a 4xx status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        self.code = code
        self.message = message
        self.status = status
        super().__init__(message)
