"""Channels of orders: what the usual ones are called, and which there are."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from sales.models import AttributionRule, Sale

CHANNELS: Final[Mapping[str, Any]] = {
    "store": _("门店"),
    "mini": _("小程序"),
    "shop": _("网店"),
    "online": _("线上"),
    "private": _("私域"),
}
# Any text is a channel, and no index knows all of them: those of the newest orders tell.
_NEWEST: Final = 5_000


def channel_words(channel: str) -> str:
    """A channel's name; a code of the chain's own as it is."""
    return str(CHANNELS.get(channel, channel))


def name_channels(codes: Collection[str]) -> dict[str, str]:
    """The names of the usual ones among these."""
    return {code: str(CHANNELS[code]) for code in codes if code in CHANNELS}


def list_channels() -> list[tuple[str, str]]:
    """(code, name): the usual ones, then the chain's own, as its newest orders and its rules of attribution have them."""
    own = set(Sale.objects.order_by("-pk").values_list("channel", flat=True)[:_NEWEST])
    for channels in AttributionRule.objects.active().values_list("channels", flat=True):
        own |= set(channels)
    return [(code, channel_words(code)) for code in (*CHANNELS, *sorted(own - set(CHANNELS)))]
