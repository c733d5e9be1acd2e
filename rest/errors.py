"""The refusals that every REST API has. Each API speaks them in its own name: `rest.not_json` is said as
`miniapp.not_json` there and as `openapi.not_json` here (`code_of`), so that a caller reads one name only."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from core.errors import InvalidInput, NotFound, Refusal, TooMany, Unavailable

_SHARED: Final = "rest."


class TooManyRequests(TooMany):
    """`details["retry_after_s"]`, also in Retry-After."""

    code = "rest.too_many_requests"


class NoSuchPath(NotFound):
    """There is no such address in this API."""

    code = "rest.no_such_path"
    sentence = _("没有这个接口")


class MethodNotAllowed(Refusal):
    code = "rest.method_not_allowed"
    http_status = 405
    sentence = _("这个接口不支持这种请求方式")


class NotJson(InvalidInput):
    """The body is not one JSON object in UTF-8, or is nested too deeply."""

    code = "rest.not_json"
    sentence = _("请求内容要是 JSON 对象")


class WrongContentType(InvalidInput):
    code = "rest.wrong_content_type"
    sentence = _("请求要用 application/json")


class BodyTooLarge(InvalidInput):
    """More than this API reads."""

    code = "rest.body_too_large"
    sentence = _("请求内容太大")


class NotText(InvalidInput):
    """A NUL character or half a surrogate pair: nothing people write."""

    code = "rest.not_text"
    sentence = _("内容里有不能识别的字符")


class NumberTooLarge(InvalidInput):
    """A number that no field of ours can hold."""

    code = "rest.number_too_large"
    sentence = _("数字超出了范围")


class Crashed(Unavailable):
    """A mistake of ours; it is in the log."""

    code = "rest.crashed"
    http_status = 500
    sentence = _("系统出了点问题，请稍后再试")


def code_of(refusal: Refusal | type[Refusal], *, api: str) -> str:
    """The code as this API says it."""
    return f"{api}.{refusal.code.removeprefix(_SHARED)}" if refusal.code.startswith(_SHARED) else refusal.code
