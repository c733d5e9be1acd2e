"""Materials that guides share: how they are written, how guides and customers see them, and what came of it."""

import dataclasses
import datetime as dt
from typing import Final, Literal

MOST_PICTURES: Final = 9
# An order within so many days after she opened the link counts as led there.
ORDER_DAYS: Final = 7
# Opened again within so many minutes it is the same view.
VIEW_MINUTES: Final = 30

ReaderKind = Literal["browser", "wechat", "member"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MaterialDraft:
    """A material as staff write it. `batch_id`, `region_id`, `store_id`: rows; None where there is none."""

    title: str
    category: str
    words: str
    text: str = ""
    link_url: str = ""
    link_label: str = ""
    mini_page: str = ""
    batch_id: int | None = None
    region_id: int | None = None
    store_id: int | None = None
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture that lies in the storage: its name there, the small one's, and its size in pixels."""

    name: str
    thumb_name: str
    width: int
    height: int


@dataclasses.dataclass(frozen=True, slots=True)
class PictureCard:
    """A picture as pages show it: its name in the storage, addresses below this site, its size in pixels."""

    name: str
    url: str
    thumb_url: str
    width: int
    height: int


@dataclasses.dataclass(frozen=True, slots=True)
class MaterialCard:
    """All that a material says. `is_live`: it may be shared and opened now."""

    id: int
    public_id: str
    title: str
    category: str
    words: str
    text: str
    link_url: str
    link_label: str
    mini_page: str
    batch_id: int | None
    pictures: tuple[PictureCard, ...]
    published_at: dt.datetime | None
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    is_live: bool


@dataclasses.dataclass(frozen=True, slots=True)
class MaterialLine:
    """A material in a guide's list, with what came of her own link: None where she has none yet."""

    public_id: str
    title: str
    category: str
    words: str
    thumb_url: str
    published_at: dt.datetime | None
    ends_at: dt.datetime | None
    is_live: bool
    shared_at: dt.datetime | None
    view_count: int
    visitor_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class MaterialLines:
    """A stretch of them."""

    lines: tuple[MaterialLine, ...]
    next_offset: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class ShareCard:
    """A guide's own link to a material; the token opens it."""

    id: int
    token: str
    material: MaterialCard
    shared_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class SharedMaterial:
    """What a token leads to: the material, and whose link it is."""

    share_id: int
    guide_id: int
    material: MaterialCard


@dataclasses.dataclass(frozen=True, slots=True)
class MaterialNumbers:
    """What came of links. Visitors are WeChat accounts or browsers; orders are those of known members within
    `ORDER_DAYS` after an opening, in fen after returns."""

    view_count: int = 0
    visitor_count: int = 0
    claim_count: int = 0
    order_count: int = 0
    amount_fen: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class ReaderMark:
    """Who opens a link, as far as the door knows: a browser by its cookie, a WeChat account by its openid, or a member who
    is logged in (`value` is then her id)."""

    kind: ReaderKind
    value: str
    app_id: str = ""
