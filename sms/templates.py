"""The texts we send. A provider approves each beforehand and knows it under a code of its own
(`settings.SMS_TEMPLATE_CODES`); the wording here is what the console gateway shows."""

import dataclasses
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sms.contracts import TemplateName


@dataclasses.dataclass(frozen=True, slots=True)
class Template:
    """One approved text with its named gaps. `is_secret`: what fills them is forgotten once it was sent."""

    text: str | Promise
    fields: frozenset[str]
    is_secret: bool


TEMPLATES: Final[dict[TemplateName, Template]] = {
    "verification_code": Template(
        _("您的验证码是 %(code)s，5 分钟内有效。如果不是您本人操作，请忽略。"),
        frozenset({"code"}),
        is_secret=True,
    ),
}


def write(name: TemplateName, params: dict[str, str]) -> str:
    """The whole text."""
    return str(TEMPLATES[name].text) % params
