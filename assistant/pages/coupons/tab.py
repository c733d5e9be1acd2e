"""券, the tab: give, show a code face to face, redeem; and how it goes."""

import dataclasses
import datetime as dt

from assistant import phrases
from assistant.pages.coupons.faces import BatchFace, batch_face
from assistant.pages.shell import Shell
from core import clock
from coupons import selectors as coupon_selectors
from guides.contracts import GuideCard


@dataclasses.dataclass(frozen=True, slots=True)
class CouponsPage:
    shell: Shell
    given_this_month: str
    used_of_them: str
    redeemed_today: str  # in her store
    ready: tuple[BatchFace, ...]
    waiting: tuple[BatchFace, ...]  # what she may not give now, and why


def build_coupons(guide: GuideCard, *, now: dt.datetime | None = None) -> CouponsPage:
    """The tab of a guide at this instant."""
    now = now or clock.now()
    today = clock.business_day(now)
    given = coupon_selectors.sum_given_coupons(guide.id, since=clock.day_bounds(today.replace(day=1))[0])
    batches = coupon_selectors.list_guide_batches(guide_id=guide.id, door="guide", at=now)
    faces = [batch_face(line) for line in batches]
    return CouponsPage(
        shell=Shell.around("coupons", guide.id),
        given_this_month=phrases.say_count(given.given_count),
        used_of_them=phrases.say_count(given.used_count),
        redeemed_today=phrases.say_count(
            coupon_selectors.sum_store_day(guide.store.id, day=today).redeemed_count
        ),
        ready=tuple(face for face in faces if not face.why_not),
        waiting=tuple(face for face in faces if face.why_not),
    )
