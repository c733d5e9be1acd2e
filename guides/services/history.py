"""What history rows keep of the doer."""

from django.utils.translation import gettext as _

from core.actor import Actor


def doer(actor: Actor) -> str:
    """The doer as history pages show her: her label, or what kind she is; at most 90 characters."""
    kinds = {
        "system": _("系统"),
        "staff": _("后台"),
        "guide": _("导购"),
        "member": _("会员本人"),
        "wechat": _("微信扫码"),
    }
    kind = kinds[actor.kind]
    if not actor.label or actor.kind == "system":
        return kind
    return f"{kind} {actor.label}"[:90]
