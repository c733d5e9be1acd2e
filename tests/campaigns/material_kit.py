"""Materials for tests: written, published, shared, and opened by this one or that."""

import datetime as dt
import io
from typing import Any

from PIL import Image

from campaigns.contracts.materials import MaterialDraft, ReaderMark, ShareCard
from campaigns.models import Material, MaterialShare, MaterialVisit
from campaigns.services import materials
from campaigns.services.material_openings import note_opening
from campaigns.services.material_shares import open_share
from core import clock
from core.actor import Actor
from guides.contracts import GuideCard
from guides.models import GuideLogin
from tests.cast import APP_ID

DESK = Actor.staff(7, "desk")
HALF_AN_HOUR = dt.timedelta(minutes=30)
DAY = dt.timedelta(days=1)


def draft(**values: Any) -> MaterialDraft:
    """A text for everybody, now and for good."""
    given: dict[str, Any] = {
        "title": "初秋通勤三件套", "category": "搭配", "words": "姐，{门店}到了新款，您看看", "text": "三件就够一周",
    }  # fmt: skip
    return MaterialDraft(**(given | values))


def make_material(*, is_published: bool = True, at: dt.datetime | None = None, **values: Any) -> int:
    """A material; its id."""
    pk = materials.save_material(draft=draft(**values), actor=DESK, at=at)
    if is_published:
        materials.publish_material(material_id=pk, actor=DESK, at=at)
    return pk


def share_of(material_id: int, guide: GuideCard, *, at: dt.datetime | None = None) -> ShareCard:
    """Her link."""
    public_id = Material.objects.values_list("public_id", flat=True).get(pk=material_id)
    return open_share(public_id=public_id, guide=guide, at=at)


def wechat(openid: str) -> ReaderMark:
    return ReaderMark("wechat", openid, APP_ID)


def browser(cookie: str) -> ReaderMark:
    return ReaderMark("browser", cookie)


def member(member_id: int) -> ReaderMark:
    return ReaderMark("member", str(member_id))


def opened(share: ShareCard, reader: ReaderMark, at: dt.datetime | None = None) -> bool:
    return note_opening(token=share.token, reader=reader, at=at)


def counts(share: ShareCard) -> tuple[int, int]:
    """Views and visitors as counted, which are what the visits say."""
    row = MaterialShare.objects.get(pk=share.id)
    visits = MaterialVisit.objects.filter(share_id=share.id)
    assert row.view_count == sum(visits.values_list("view_count", flat=True))
    assert row.visitor_count == visits.values("reader").distinct().count()
    return row.view_count, row.visitor_count


def log_in_guide(guide: GuideCard, openid: str) -> None:
    """The guide's WeChat account is this one."""
    GuideLogin.objects.create(guide_id=guide.id, app_id=APP_ID, openid=openid, activated_at=clock.now())


def picture(
    width: int = 600, height: int = 400, *, kind: str = "JPEG", mode: str = "RGB", **options: Any
) -> io.BytesIO:
    """A file with a picture."""
    out = io.BytesIO()
    Image.new(mode, (width, height), "teal" if mode == "RGB" else None).save(out, kind, **options)
    out.seek(0)
    return out
