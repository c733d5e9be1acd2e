"""Writes of the mini-program's API: devices and tokens, logging in, proving a phone."""

from miniapp.services.devices import (
    erase_devices,
    list_devices,
    log_out,
    prune_devices,
    revoke_app_devices,
    revoke_device,
    revoke_devices,
)
from miniapp.services.login import log_in
from miniapp.services.phone import prove_phone_by_code, prove_phone_by_data
from miniapp.services.sms_codes import confirm_sms_code, request_sms_code
from miniapp.services.tokens import find_session, refresh_tokens

__all__ = [
    "confirm_sms_code",
    "erase_devices",
    "find_session",
    "list_devices",
    "log_in",
    "log_out",
    "prove_phone_by_code",
    "prove_phone_by_data",
    "prune_devices",
    "refresh_tokens",
    "request_sms_code",
    "revoke_app_devices",
    "revoke_device",
    "revoke_devices",
]
