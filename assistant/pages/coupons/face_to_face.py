"""面对面: choose a coupon, show its code for some minutes, see who took it."""

import dataclasses
import datetime as dt
import math
from typing import Final

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from assistant import phrases, qr
from assistant.pages.coupons.faces import BatchFace, CouponFace, batch_face, template_face
from assistant.pages.shell import Shell
from core import clock
from coupons import selectors as coupon_selectors
from coupons.contracts import FaceToFaceCard
from guides.contracts import GuideCard

_DOOR: Final = "face_to_face"
_NAMES: Final = 5


@dataclasses.dataclass(frozen=True, slots=True)
class FaceListPage:
    """What may be shown now."""

    shell: Shell
    minutes: int
    request_key: str
    ready: tuple[BatchFace, ...]
    waiting: tuple[BatchFace, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Taken:
    name: str
    when_text: str


@dataclasses.dataclass(frozen=True, slots=True)
class FaceLive:
    """What changes while the code is shown. `seen` tells one state from another: the page sends it back."""

    public_id: str
    seen: str
    is_open: bool
    qr: SafeString | None  # None while WeChat has not given it yet, and when it is over
    seconds_left: int
    seconds_whole: int
    claimed: str
    refused_text: str
    taken: tuple[Taken, ...]
    more_text: str  # 等 8 人


@dataclasses.dataclass(frozen=True, slots=True)
class FacePage:
    """The code on the whole screen."""

    face: CouponFace
    guide_name: str
    minutes: int
    batch_id: str
    request_key: str  # of the next code
    live: FaceLive


def build_face_list(guide: GuideCard, *, request_key: str, now: dt.datetime | None = None) -> FaceListPage:
    """The batches of this door."""
    now = now or clock.now()
    batches = coupon_selectors.list_guide_batches(guide_id=guide.id, door=_DOOR, at=now)
    faces = [batch_face(line) for line in batches]
    return FaceListPage(
        shell=Shell.around("coupons", guide.id),
        minutes=settings.FACE_TO_FACE_MINUTES,
        request_key=request_key,
        ready=tuple(face for face in faces if not face.why_not),
        waiting=tuple(face for face in faces if face.why_not),
    )


def build_face(
    guide: GuideCard, public_id: str, *, request_key: str, now: dt.datetime | None = None
) -> FacePage:
    """An offer of hers. Raises NoSuchOffer."""
    now = now or clock.now()
    card = coupon_selectors.access_face_to_face(public_id=public_id, guide_id=guide.id, at=now)
    batch = coupon_selectors.get_batch(card.batch_id)
    return FacePage(
        face=template_face(coupon_selectors.get_template(batch.template_id)),
        guide_name=guide.name,
        minutes=settings.FACE_TO_FACE_MINUTES,
        batch_id=batch.public_id,
        request_key=request_key,
        live=_live(card, now=now),
    )


def build_face_live(
    guide: GuideCard, public_id: str, *, seen: str, now: dt.datetime | None = None
) -> FaceLive | None:
    """How it stands; None when that is what the page shows already. Raises NoSuchOffer."""
    now = now or clock.now()
    live = _live(
        coupon_selectors.access_face_to_face(public_id=public_id, guide_id=guide.id, at=now), now=now
    )
    return None if live.seen == seen else live


def _live(card: FaceToFaceCard, *, now: dt.datetime) -> FaceLive:
    shown = card.last_claims[:_NAMES]
    has_qr = card.is_open and bool(card.qr_content)
    label = _("“%(title)s”的二维码") % {"title": card.title}
    rest = card.claimed_count - len(shown)
    return FaceLive(
        public_id=card.public_id,
        seen=f"{card.is_open:d}{has_qr:d}-{card.claimed_count}-{card.refused_count}",
        is_open=card.is_open,
        qr=qr.draw_svg(card.qr_content, label=label) if has_qr else None,
        seconds_left=max(0, math.ceil((card.expires_at - now).total_seconds())) if card.is_open else 0,
        seconds_whole=settings.FACE_TO_FACE_MINUTES * 60,
        claimed=phrases.say_count(card.claimed_count),
        refused_text=_("%(count)d 人扫了没领到") % {"count": card.refused_count}
        if card.refused_count
        else "",
        taken=tuple(Taken(name, phrases.say_time(at, now=now)) for name, at in shown),
        more_text=_("还有 %(count)d 人") % {"count": rest} if rest > 0 else "",
    )
