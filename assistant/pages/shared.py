"""A material as whoever opens a guide's link sees it."""

import dataclasses

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from assistant.pages.materials import brief_of, link_of
from assistant.pages.shell import Avatar
from campaigns.contracts.materials import PictureCard, SharedMaterial
from campaigns.selectors.materials import get_shared_material
from core.errors import NotFound
from coupons import selectors as coupon_selectors
from coupons.errors import BatchEnded, BatchNotStarted, BatchPaused, BatchSoldOut, BudgetSpent, NoSuchBatch
from guides import selectors as guide_selectors
from guides.contracts import GuideCard
from wechat.errors import NoAccount
from wechat.services.accounts import get_default_mini_program
from wechat.services.mini_program import fetch_mini_code

# Why nobody gets one now; what stands against one member is told her in the mini-program.
_OVER = frozenset(kind.code for kind in (BatchEnded, BatchSoldOut, BudgetSpent, BatchPaused, BatchNotStarted))
_CODE_WIDTH = 430


@dataclasses.dataclass(frozen=True, slots=True)
class SharedCoupon:
    """The coupon that goes with it; `why_not` says why there is none now."""

    worth: str  # 满 200 减 30
    title: str
    validity: str
    why_not: str


@dataclasses.dataclass(frozen=True, slots=True)
class SharedPage:
    token: str
    brand: str
    title: str
    brief: str
    paragraphs: tuple[str, ...]
    pictures: tuple[PictureCard, ...]
    coupon: SharedCoupon | None
    link_url: str
    link_label: str
    link: str
    cover_url: str
    guide_name: str  # empty: she left, and the store stands for her
    avatar: Avatar
    store_name: str
    address: str
    phone: str
    phone_link: str
    has_guide_code: bool
    mini_text: str  # what the mini-program's code is for; empty: none
    is_wechat: bool


def build_shared(token: str, *, is_wechat: bool) -> SharedPage:
    """The page of a link. Raises NoSuchMaterial."""
    shared = get_shared_material(token)
    card, guide = shared.material, guide_selectors.get_guide_card(shared.guide_id)
    coupon = _coupon(card.batch_id)
    name = guide.name if guide.is_active else ""
    phone = guide.store.phone
    return SharedPage(
        token=token,
        brand=settings.BRAND_NAME,
        title=card.title,
        brief=brief_of(card) or settings.BRAND_NAME,
        paragraphs=tuple(line for line in card.text.split("\n") if line),
        pictures=card.pictures,
        coupon=coupon,
        link_url=card.link_url,
        link_label=card.link_label or _("看详情"),
        link=link_of(token),
        cover_url=f"{settings.PUBLIC_BASE_URL}{card.pictures[0].thumb_url}" if card.pictures else "",
        guide_name=name,
        avatar=Avatar.of(name or guide.store.name, guide.public_id),
        store_name=guide.store.name,
        address=guide.store.address,
        phone=phone,
        phone_link="".join(character for character in phone if character.isdigit() or character == "+"),
        has_guide_code=bool(_qr_content(guide)),
        mini_text=_mini_text(shared, coupon),
        is_wechat=is_wechat,
    )


def get_guide_code(token: str) -> str:
    """What the QR of the guide behind a link holds. Raises NoSuchMaterial, and NotFound where there is none."""
    content = _qr_content(guide_selectors.get_guide_card(get_shared_material(token).guide_id))
    if not content:
        raise NotFound
    return content


def get_mini_code(token: str) -> bytes:
    """The picture of the code that opens the material in the mini-program (JPEG); asked of WeChat once. Raises
    NoSuchMaterial, NoAccount, and what WeChat refuses."""
    get_shared_material(token)
    account = get_default_mini_program()
    name = f"material-codes/{account.app_id}-{token}.jpg"
    if default_storage.exists(name):
        with default_storage.open(name) as file:
            kept: bytes = file.read()
        return kept
    picture = fetch_mini_code(
        account_id=account.id, scene=token, page=settings.MINI_MATERIAL_PAGE, width=_CODE_WIDTH
    )
    default_storage.save(name, ContentFile(picture))
    return picture


def _qr_content(guide: GuideCard) -> str:
    if not guide.is_active:
        return ""
    try:
        return guide_selectors.get_guide_code(guide.id).qr_content
    except NotFound:
        return ""


def _coupon(batch_id: int | None) -> SharedCoupon | None:
    """As nobody in particular sees it."""
    if batch_id is None:
        return None
    try:
        public_id = coupon_selectors.get_batch(batch_id).public_id
        found = coupon_selectors.get_claimable_batch(public_id, member_id=0)
    except NoSuchBatch:
        return None
    card = found.template
    why_not = found.why_not_words if found.why_not in _OVER else ""
    return SharedCoupon(card.value_words, card.terms.title, card.validity_words, why_not)


def _mini_text(shared: SharedMaterial, coupon: SharedCoupon | None) -> str:
    is_claimable = coupon is not None and not coupon.why_not
    if not is_claimable and not shared.material.mini_page:
        return ""
    try:
        get_default_mini_program()
    except NoAccount:
        return ""
    return _("长按识别小程序码，领券") if is_claimable else _("长按识别小程序码，去看看")
