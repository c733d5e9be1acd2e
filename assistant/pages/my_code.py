"""我的码: the code a customer scans, and the poster to send."""

import dataclasses
import datetime as dt

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from assistant import phrases, qr
from assistant.errors import CodeNotReady
from assistant.pages.shell import Shell
from assistant.posters import PosterTexts
from core import clock
from core.errors import NotFound
from guides import selectors as guide_selectors
from guides.contracts import ChannelCodeCard, GuideCard


@dataclasses.dataclass(frozen=True, slots=True)
class CodeCounts:
    scans: str
    follows: str
    bindings: str


@dataclasses.dataclass(frozen=True, slots=True)
class MyCodePage:
    shell: Shell
    brand: str
    guide_name: str
    store_name: str
    qr: SafeString | None  # None while WeChat has not given the ticket yet, and without a code
    has_code: bool
    counts: CodeCounts
    expiry_text: str


def count_code(code: ChannelCodeCard | None) -> CodeCounts:
    """What came of the code so far; zeros without one."""
    if code is None:
        return CodeCounts("0", "0", "0")
    return CodeCounts(
        phrases.say_count(code.scan_count),
        phrases.say_count(code.follow_count),
        phrases.say_count(code.binding_count),
    )


def build_my_code(guide: GuideCard, *, now: dt.datetime | None = None) -> MyCodePage:
    """The code page of a guide."""
    now = now or clock.now()
    summary = guide_selectors.summarize_guide(guide.id, at=now)
    code = _find_code(guide)
    label = _("%(name)s的专属二维码") % {"name": guide.name}
    return MyCodePage(
        shell=Shell.of("me", summary),
        brand=settings.BRAND_NAME,
        guide_name=guide.name,
        store_name=guide.store.name,
        qr=qr.draw_svg(code.qr_content, label=label) if code and code.qr_content else None,
        has_code=code is not None,
        counts=count_code(code),
        expiry_text=_say_expiry(code, now=now) if code else "",
    )


def build_poster_texts(guide: GuideCard) -> PosterTexts:
    """What her poster says. Raises CodeNotReady while there is nothing to scan."""
    content = get_qr_content(guide)
    return PosterTexts(
        brand=settings.BRAND_NAME,
        colour=settings.BRAND_COLOUR,
        logo_path=settings.BRAND_LOGO,
        heading=_("您的专属店长") if guide.role == "manager" else _("您的专属导购"),
        guide_name=guide.name,
        store_name=guide.store.name,
        address=guide.store.address,
        phone=guide.store.phone,
        invitation=_("新品到店、穿搭建议、会员礼遇，我第一时间告诉您"),
        hint=_("微信扫一扫，加我为专属导购"),
        qr_content=content,
    )


def get_qr_content(guide: GuideCard) -> str:
    """What her QR holds. Raises CodeNotReady."""
    code = _find_code(guide)
    if code is None or not code.qr_content:
        raise CodeNotReady
    return code.qr_content


def poster_filename(guide: GuideCard) -> str:
    """导购海报-李娜-南京东路店.png"""
    return f"{_('导购海报')}-{guide.name}-{guide.store.name}.png"


def _find_code(guide: GuideCard) -> ChannelCodeCard | None:
    try:
        return guide_selectors.get_guide_code(guide.id)
    except NotFound:
        return None


def _say_expiry(code: ChannelCodeCard, *, now: dt.datetime) -> str:
    """A temporary code renews itself on this page; a printed one stops, so the guide is told when."""
    ends = [end for end in (code.expires_at, code.ticket_expires_at) if end is not None]
    if not ends:
        return ""
    day = phrases.say_day(clock.business_day(min(ends)), today=clock.business_day(now))
    return _("页面上的码会自动更新；保存的海报请在 %(day)s 前使用") % {"day": day}
