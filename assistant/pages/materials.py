"""素材: what a guide may share, each with her own link, and what came of it."""

import dataclasses
import datetime as dt
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from assistant import phrases
from assistant.material_posters import MaterialPosterTexts
from assistant.pages.links import url_of
from assistant.pages.shell import Link, Shell, Stretch
from campaigns.contracts.materials import ORDER_DAYS, MaterialCard, MaterialLine, PictureCard, ShareCard
from campaigns.errors import NoSuchMaterial
from campaigns.selectors.material_numbers import sum_shares
from campaigns.selectors.materials import list_guide_materials, list_material_categories
from campaigns.services.material_shares import open_share
from core import clock
from guides.contracts import GuideCard

NEW_DAYS: Final = 3
_BRIEF: Final = 40


@dataclasses.dataclass(frozen=True, slots=True)
class Looked:
    """What the list is asked for."""

    query: str = ""
    category: str = ""
    only_mine: bool = False

    def url(self, name: str = "assistant:materials", **changes: object) -> str:
        asked: dict[str, object] = {
            "q": self.query, "category": self.category, "mine": "1" if self.only_mine else "",
        }  # fmt: skip
        return url_of(name, **(asked | changes))


@dataclasses.dataclass(frozen=True, slots=True)
class MaterialRow:
    public_id: str
    title: str
    category: str
    words: str
    thumb_url: str
    mark: str  # 新, 今天结束, 已结束
    is_over: bool
    foot: str  # 我的链接：12 位访客，30 次浏览


@dataclasses.dataclass(frozen=True, slots=True)
class MaterialRows:
    list: Stretch[MaterialRow]
    asked: Looked
    whole_url: str
    state_url: str


@dataclasses.dataclass(frozen=True, slots=True)
class MaterialsPage:
    shell: Shell
    asked: Looked
    whose: tuple[Link, ...]
    categories: tuple[Link, ...]
    rows: MaterialRows


@dataclasses.dataclass(frozen=True, slots=True)
class MaterialPage:
    shell: Shell
    public_id: str
    title: str
    category: str
    until_text: str
    is_live: bool
    pictures: tuple[PictureCard, ...]
    words: str
    text: str
    link: str
    both: str  # the words and the link, as one message
    brief: str
    cover_url: str
    numbers: tuple[tuple[str, str], ...]
    orders_text: str
    is_wechat: bool


def build_materials(guide: GuideCard, asked: Looked, *, now: dt.datetime | None = None) -> MaterialsPage:
    """The list, with what narrows it."""
    now = now or clock.now()
    names = () if asked.only_mine else list_material_categories(guide.store.id, at=now)
    categories = ((_("全部"), ""), *((name, name) for name in names)) if len(names) > 1 else ()
    return MaterialsPage(
        shell=Shell.around("me", guide.id),
        asked=asked,
        whose=(
            Link(_("全部素材"), asked.url(mine="", category=""), not asked.only_mine),
            Link(_("我分享过的"), asked.url(mine="1", category=""), asked.only_mine),
        ),
        categories=tuple(
            Link(label, asked.url(category=key), key == asked.category) for label, key in categories
        ),
        rows=build_material_rows(guide, asked, offset=0, now=now),
    )


def build_material_rows(
    guide: GuideCard, asked: Looked, *, offset: int, now: dt.datetime | None = None
) -> MaterialRows:
    """A stretch of it."""
    now = now or clock.now()
    found = list_guide_materials(
        guide_id=guide.id,
        store_id=guide.store.id,
        query=asked.query,
        category=asked.category,
        only_mine=asked.only_mine,
        offset=offset,
        at=now,
    )
    next_url = (
        "" if found.next_offset is None else asked.url("assistant:material-rows", offset=found.next_offset)
    )
    rows = tuple(_row(line, guide, now) for line in found.lines)
    return MaterialRows(
        Stretch(rows, offset == 0, next_url), asked, reverse("assistant:materials"), asked.url()
    )


def build_material(
    guide: GuideCard, public_id: str, *, is_wechat: bool, now: dt.datetime | None = None
) -> MaterialPage:
    """One material with her link, which is made where she has none. Raises NoSuchMaterial."""
    now = now or clock.now()
    share = open_share(public_id=public_id, guide=guide, at=now)
    card, numbers = share.material, sum_shares([share.id])
    link, words = link_of(share.token), fill_words(card.words, guide)
    orders_text = ""
    if numbers.order_count:
        orders_text = _("打开后 %(days)s 天内，认得出的会员买了 %(orders)s 单，共 %(sum)s") % {
            "days": ORDER_DAYS,
            "orders": phrases.say_count(numbers.order_count),
            "sum": phrases.say_money(numbers.amount_fen),
        }
    shown = [(numbers.view_count, _("浏览")), (numbers.visitor_count, _("访客"))]
    if card.batch_id is not None:
        shown.append((numbers.claim_count, _("领券")))
    shown.append((numbers.order_count, _("订单")))
    return MaterialPage(
        shell=Shell.around("me", guide.id),
        public_id=card.public_id,
        title=card.title,
        category=card.category,
        until_text=_until(card.ends_at, card.is_live, now),
        is_live=card.is_live,
        pictures=card.pictures,
        words=words,
        text=card.text,
        link=link,
        both=f"{words}\n{link}",
        brief=brief_of(card),
        cover_url=f"{settings.PUBLIC_BASE_URL}{card.pictures[0].thumb_url}" if card.pictures else "",
        numbers=tuple((phrases.say_count(number), label) for number, label in shown),
        orders_text=orders_text,
        is_wechat=is_wechat,
    )


def build_poster_texts(guide: GuideCard, public_id: str) -> tuple[MaterialPosterTexts, str]:
    """What the poster of her link says, and what the file is called. Raises NoSuchMaterial, also for one that is over."""
    share = _live_share(guide, public_id)
    card = share.material
    texts = MaterialPosterTexts(
        brand=settings.BRAND_NAME,
        colour=settings.BRAND_COLOUR,
        picture=card.pictures[0].name if card.pictures else "",
        title=card.title,
        brief=brief_of(card),
        guide_name=guide.name,
        store_name=guide.store.name,
        hint=_("长按识别，看详情"),
        link=link_of(share.token),
    )
    return texts, f"{card.title}-{guide.name}.jpg"


def link_of(token: str) -> str:
    """The address that her customers open."""
    return f"{settings.PUBLIC_BASE_URL}{reverse('shared:material', args=[token])}"


def fill_words(words: str, guide: GuideCard) -> str:
    """The words with her store and her name in their places."""
    return words.replace("{门店}", guide.store.name).replace("{导购}", guide.name)


def brief_of(card: MaterialCard) -> str:
    """The first line of what customers read, for cards and posters."""
    line = card.text.partition("\n")[0].strip()
    return line if len(line) <= _BRIEF else f"{line[:_BRIEF]}…"


def _live_share(guide: GuideCard, public_id: str) -> ShareCard:
    share = open_share(public_id=public_id, guide=guide)
    if not share.material.is_live:
        raise NoSuchMaterial
    return share


def _row(line: MaterialLine, guide: GuideCard, now: dt.datetime) -> MaterialRow:
    mark = ""
    if not line.is_live:
        mark = _("已结束")
    elif line.published_at is not None and now - line.published_at < dt.timedelta(days=NEW_DAYS):
        mark = _("新")
    foot = ""
    if line.view_count:
        foot = _("我的链接：%(visitors)s 位访客，%(views)s 次浏览") % {
            "visitors": phrases.say_count(line.visitor_count),
            "views": phrases.say_count(line.view_count),
        }
    elif line.shared_at is not None:
        foot = _("%(when)s分享，还没有人打开") % {"when": phrases.say_time(line.shared_at, now=now)}
    return MaterialRow(
        line.public_id,
        line.title,
        line.category,
        fill_words(line.words, guide),
        line.thumb_url,
        mark,
        not line.is_live,
        foot,
    )


def _until(ends_at: dt.datetime | None, is_live: bool, now: dt.datetime) -> str:
    if not is_live:
        return _("已结束，发出去的链接打不开了")
    if ends_at is None:
        return ""
    last = clock.business_day(ends_at - dt.timedelta(microseconds=1))
    return _("%(day)s前有效") % {"day": phrases.say_coming_day(last, today=clock.business_day(now))}
