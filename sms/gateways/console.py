"""For development: the text is printed, nothing is sent."""

import logging
import sys

from django.conf import settings

from core import phones
from sms import templates
from sms.gateways.base import Gateway, Sending, Verdict

logger = logging.getLogger(__name__)


class ConsoleGateway(Gateway):
    """Logs the masked number; prints the text only where no production runs."""

    def send(self, sending: Sending) -> Verdict:
        logger.info("sms.console", extra={"to": phones.mask(sending.phone), "template": sending.template})
        if not settings.PRODUCTION:
            text = templates.write(sending.template, sending.params)
            sys.stderr.write(f"SMS → {phones.mask(sending.phone)}: {text}\n")
        return Verdict("sent", provider_ref=sending.reference)
