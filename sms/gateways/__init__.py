"""Providers of text messages, one class each; `gateway()` is the one that settings name."""

from django.conf import settings

from sms.errors import SmsNotSetUp
from sms.gateways.base import Gateway, ProviderError, ReportKind, Sending, Verdict
from sms.gateways.console import ConsoleGateway
from sms.gateways.tencent import TencentGateway

__all__ = ["Gateway", "ProviderError", "ReportKind", "Sending", "Verdict", "gateway", "is_set_up"]

_GATEWAYS: dict[str, type[Gateway]] = {"console": ConsoleGateway, "tencent": TencentGateway}


def is_set_up() -> bool:
    """Whether text messages can be sent at all."""
    return settings.SMS_GATEWAY in _GATEWAYS


def gateway() -> Gateway:
    """The configured provider. Raises SmsNotSetUp."""
    if not is_set_up():
        raise SmsNotSetUp
    return _GATEWAYS[settings.SMS_GATEWAY]()
