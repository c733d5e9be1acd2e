"""For development: the text is printed, nothing is sent."""

import datetime as dt
import logging
import sys
from collections.abc import Mapping, Sequence

from django.conf import settings

from core import phones
from sms.contracts import ReceiptTold, ReplyTold, Review
from sms.gateways.base import Gateway, ReportKind, Sending, Verdict
from sms.wording import count_segments

logger = logging.getLogger(__name__)


class ConsoleGateway(Gateway):
    """Logs the masked number; prints the text only where no production runs. It approves whatever it is asked about."""

    def send(self, sending: Sending) -> Verdict:
        to = phones.mask(sending.phone)
        logger.info("sms.console", extra={"to": to, "purpose": sending.text.purpose})
        if not settings.PRODUCTION:
            sys.stderr.write(f"SMS → {to}: {sending.text.whole}\n")
        return Verdict(
            "sent", provider_ref=sending.reference, segment_count=count_segments(sending.text.whole)
        )

    def review_templates(self, codes: Sequence[str]) -> Mapping[str, Review]:
        return {code: Review("approved") for code in codes}

    def review_signs(self, provider_ids: Sequence[str]) -> Mapping[str, Review]:
        return {provider_id: Review("approved") for provider_id in provider_ids}

    def pull(self, kind: ReportKind) -> str:
        return ""

    def recall(self, kind: ReportKind, phone: str, since: dt.datetime) -> str:
        return ""

    def read_receipts(self, body: str) -> Sequence[ReceiptTold]:
        return ()

    def read_replies(self, body: str) -> Sequence[ReplyTold]:
        return ()
