"""Kinds of reply parts that apps above the gateway bring: one dotted path each, in the order of the editor."""

REPLY_KINDS: tuple[str, ...] = (
    "coupons.services.reply_kinds.GiveCoupon",
    "guides.services.reply_kinds.TransferToGuide",
)
