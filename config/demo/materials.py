"""What head office of the demo chain wrote for its guides to share, with pictures drawn here, and who opened it."""

import datetime as dt
import io
import random
from collections.abc import Sequence
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from PIL import Image, ImageDraw, ImageFont

from campaigns.contracts.materials import MaterialDraft, ReaderMark
from campaigns.services import materials
from campaigns.services.material_openings import note_opening
from campaigns.services.material_pictures import store_picture
from campaigns.services.material_shares import count_open_shares, note_share, open_share
from config.demo import accounts
from core.actor import Actor
from guides import selectors as guide_selectors
from guides.contracts import GuideCard
from members import selectors as member_selectors

_DICE_SEED: Final = 61
_GUIDES: Final = ("G001", "G002", "G003", "G006")
_OF_GUIDE: Final = 25
_SIZE: Final = (1_080, 1_350)
_FONT: Final = "500Medium/NotoSansSC_500Medium.ttf"
Tone = tuple[int, int, int]
# Days ago, title, category, words, text, ground, colours of what hangs there, batch.
_PIECES: Final[Sequence[tuple[int, str, str, str, str, Tone, tuple[Tone, ...], str]]] = (
    (1, "羊绒大衣到店，三色可试", "新品", "姐，{门店}的羊绒大衣到了，驼色最显白，我先给您留了一件，看看喜欢吗？",
     "100% 内蒙古山羊绒，双面手缝。\n驼色、燕麦、墨绿三色，S 到 XL。\n到店可以试穿，专属导购帮您留码。",
     (238, 230, 218), ((178, 137, 98), (221, 208, 186), (52, 74, 62)), ""),
    (2, "初冬通勤，三件就够一周", "搭配", "给您搭了一套通勤的，衬衫、针织、直筒裤，三件轮着穿一周不重样，您看看～",
     "周一到周五，三件单品换着穿：\n衬衫打底，外搭针织开衫；降温那天，把开衫换成大衣。\n裤子选直筒，平底鞋、短靴都合适。",
     (228, 233, 236), ((246, 244, 240), (126, 146, 160), (70, 78, 88)), ""),
    (4, "周年庆：满 300 减 50 先领", "活动", "周年庆的券我先发给您，点开就能领，满 300 减 50，月底前到店都能用。",
     "先领券，再到店。\n每人一张，当天领当天能用。",
     (245, 224, 216), ((198, 74, 60), (226, 158, 120), (250, 240, 232)), "开业满减"),
    (7, "羊绒怎么洗不变形", "保养", "您上次买的羊绒，按这个洗就不会缩，有不清楚的随时问我。",
     "一、30 度以下冷水，浸泡五分钟。\n二、轻压不要搓，平铺阴干。\n三、收起来前，放一块樟木片。\n门店免费去球、熨烫一次。",
     (226, 236, 230), ((120, 160, 140), (196, 216, 204), (60, 98, 82)), ""),
    (12, "围巾的六种系法", "搭配", "降温了，围巾换个系法，整个人都不一样，挑一个您喜欢的试试。",
     "通勤用平结，周末用绕颈，配大衣就让它自然垂着。\n长围巾到店，我当面教您系。",
     (240, 234, 244), ((148, 112, 160), (206, 186, 214), (92, 68, 104)), ""),
)  # fmt: skip


def seed_materials(*, at: dt.datetime, actor: Actor) -> None:
    """Five materials, of which some guides shared most, opened by their members and by strangers. Once."""
    if apps.get_model("campaigns", "Material").objects.exists():
        return
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents visits, keeps no secret)
    for days, *piece in _PIECES:
        _write(piece, at - dt.timedelta(days=days), actor)
    material = apps.get_model("campaigns", "Material")
    shown = [(row.public_id, row.created_at) for row in material.objects.order_by("-published_at")]
    for number in _GUIDES:
        guide = _guide(number)
        for public_id, published_at in dice.sample(shown, 4):
            _share(dice, guide, public_id, published_at, at)
    while count_open_shares(at=at + dt.timedelta(minutes=1)):
        pass


def _write(piece: Sequence[Any], at: dt.datetime, actor: Actor) -> None:
    title, category, words, text, ground, colours, batch = piece
    batches = apps.get_model("coupons", "CouponBatch").objects.filter(name=batch)
    draft = MaterialDraft(
        title=title,
        category=category,
        words=words,
        text=text,
        batch_id=batches.values_list("pk", flat=True).first() if batch else None,
    )
    pictures = [store_picture(stream=_draw(ground, colours))]
    pk = materials.save_material(draft=draft, pictures=pictures, actor=actor, at=at)
    materials.publish_material(material_id=pk, actor=actor, at=at)


def _guide(number: str) -> GuideCard:
    guide = apps.get_model("guides", "Guide").objects.get(number=number)
    return guide_selectors.get_guide_card(guide.pk)


def _share(
    dice: random.Random, guide: GuideCard, public_id: str, published_at: dt.datetime, at: dt.datetime
) -> None:
    """She took the link soon after it was there; members of hers and strangers open it in the days after."""
    passed = (at - published_at).total_seconds()
    taken_at = published_at + dt.timedelta(seconds=passed * dice.uniform(0.05, 0.3))
    share = open_share(public_id=public_id, guide=guide, at=taken_at)
    note_share(public_id=public_id, guide=guide, at=taken_at)
    bound = apps.get_model("guides", "Binding").objects.filter(guide_id=guide.id, ended_at=None)
    hers = list(bound.order_by("-bound_at", "pk").values_list("member_id", flat=True)[:_OF_GUIDE])
    openids = member_selectors.list_openids(hers, accounts.APP_ID)
    readers = [ReaderMark("wechat", values[0], accounts.APP_ID) for values in openids.values()]
    readers += [
        ReaderMark("browser", f"demo-{guide.number}-{public_id}-{n}") for n in range(dice.randint(1, 4))
    ]
    left = (at - taken_at).total_seconds()
    moments = sorted(taken_at + dt.timedelta(seconds=left * dice.random() ** 2) for _reader in readers)
    for reader, moment in zip(dice.sample(readers, len(readers)), moments, strict=True):
        if dice.random() < 0.6:
            note_opening(token=share.token, reader=reader, at=moment)


def _draw(ground: Tone, colours: tuple[Tone, ...]) -> io.BytesIO:
    """Clothes on a rail over a quiet ground: enough of a picture to see how it all looks."""
    width, height = _SIZE
    image = Image.new("RGB", (width * 2, height * 2), ground)
    pen = ImageDraw.Draw(image)
    pen.ellipse((1_100, -300, 2_500, 1_100), fill=_mix(ground, (255, 255, 255), 0.35))
    pen.rounded_rectangle((160, 320, width * 2 - 160, 340), 10, fill=_mix(ground, (0, 0, 0), 0.45))
    step = (width * 2 - 320) // len(colours)
    for place, colour in enumerate(colours):
        _hang(pen, 160 + step * place + step // 2, colour, length=1_620 - 200 * (place % 2))
    font = ImageFont.truetype(str(settings.FONT_DIR / _FONT), 80)
    pen.text(
        (width, height * 2 - 190),
        settings.BRAND_NAME,
        font=font,
        fill=_mix(ground, (0, 0, 0), 0.45),
        anchor="mm",
    )
    out = io.BytesIO()
    image.resize(_SIZE, Image.Resampling.LANCZOS).save(out, "PNG")
    out.seek(0)
    return out


def _hang(pen: ImageDraw.ImageDraw, centre: int, colour: Tone, *, length: int) -> None:
    """One coat: hook, shoulders, body, lapels."""
    top, half = 500, 230
    dark, light = _mix(colour, (0, 0, 0), 0.16), _mix(colour, (255, 255, 255), 0.2)
    pen.line((centre, 330, centre, 440), fill=dark, width=12)
    pen.polygon(
        [(centre - half, top + 120), (centre - 70, top - 40), (centre + 70, top - 40), (centre + half, top + 120),
         (centre + half - 30, top + length), (centre - half + 30, top + length)],
        fill=colour,
    )  # fmt: skip
    for side in (-1, 1):
        pen.polygon(
            [(centre + side * half, top + 120), (centre + side * (half + 70), top + 760),
             (centre + side * (half - 50), top + 780), (centre + side * (half - 90), top + 200)],
            fill=dark,
        )  # fmt: skip
        pen.polygon(
            [(centre, top + 420), (centre + side * 70, top - 40), (centre + side * 130, top + 150)],
            fill=light,
        )
    pen.line((centre, top + 420, centre, top + length), fill=dark, width=8)


def _mix(colour: Tone, other: Tone, share: float) -> Tone:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue
