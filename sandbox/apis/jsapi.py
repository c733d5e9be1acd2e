"""Tickets of the JS-SDK: official page "JS-SDK", appendix 1."""

import secrets

from sandbox.apis.gate import OK, Answer, Call, Endpoint
from sandbox.errors import WeChatRefusal

LIFE_S = 7200
OVERLAP_S = 300


def get_ticket(call: Call) -> Answer:
    """The ticket of that type: the same one until five minutes before its end."""
    kind = call.query.get("type", "")
    if kind not in ("jsapi", "wx_card"):
        raise WeChatRefusal(40097)
    now = call.world.now()
    ticket, expires_at = call.account.tickets.get(kind, ("", 0.0))
    if expires_at - now <= OVERLAP_S:
        ticket, expires_at = secrets.token_urlsafe(64), now + LIFE_S
        call.account.tickets[kind] = (ticket, expires_at)
    call.summary = kind
    return {**OK, "ticket": ticket, "expires_in": int(expires_at - now + 0.5)}


ENDPOINTS = [Endpoint("/cgi-bin/ticket/getticket", get_ticket, "GET", is_official_only=True)]
