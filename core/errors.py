"""The one family of refusals.

A refusal is an answer, not a crash: it carries a stable `code` (the protocol: tests, clients and logs
read it), a Chinese sentence for people, and the HTTP status under which delivery apps show it.
Each domain app subclasses these in its own `errors` module; the code is `app.fact`.
"""

from types import ModuleType
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Refusal(Exception):
    """A rule said no. `details` may be shown to the caller; never put a secret or a phone into it."""

    code: ClassVar[str] = "core.refused"
    http_status: ClassVar[int] = 422
    sentence: ClassVar[str | Promise] = _("这个操作现在不能做")

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = str(message if message is not None else self.sentence)
        self.details = details
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.details))


def _rebuild(kind: type[Refusal], message: str, details: dict[str, Any]) -> Refusal:
    return kind(message, **details)


class NotFound(Refusal):
    """No such thing, or not yours: the two look the same from outside."""

    code = "core.not_found"
    http_status = 404
    sentence = _("没有找到，可能已被删除，或不归您查看")


class InvalidInput(Refusal):
    """What was typed or sent cannot be used; `details["field"]` names the field where there is one."""

    code = "core.invalid_input"
    http_status = 400
    sentence = _("填写的内容有误，请检查后再提交")


class NotAllowed(Refusal):
    code = "core.not_allowed"
    http_status = 403
    sentence = _("您没有权限做这个操作")


class Conflict(Refusal):
    code = "core.conflict"
    http_status = 409
    sentence = _("刚刚有人改动过，请刷新后再试")


class TooMany(Refusal):
    code = "core.too_many"
    http_status = 429
    sentence = _("操作太频繁了，请稍等一会儿再试")


class Unavailable(Refusal):
    """An engine or an outside system does not answer; trying again later is right."""

    code = "core.unavailable"
    http_status = 503
    sentence = _("系统正忙，请稍后再试")


def sentences_in(*modules: ModuleType) -> dict[str, str | Promise]:
    """What the refusals of these modules say, by their codes."""
    return {
        kind.code: kind.sentence
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Refusal)
    }
