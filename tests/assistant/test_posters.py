"""Pictures: what a scanner reads from them, and that no text leaves them."""

import dataclasses
import io
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from assistant import qr
from assistant.posters import HEIGHT, WIDTH, PosterTexts, draw_poster

CONTENT = "http://weixin.qq.com/q/02kV5bEwhmdTN10000g07Z"
TEXTS = PosterTexts(
    brand="素衣 SUYI",
    colour="#1f6f54",
    logo_path="",
    heading="您的专属导购",
    guide_name="李娜",
    store_name="南京东路店",
    address="上海市黄浦区南京东路 300 号",
    phone="021-6322 0118",
    invitation="新品到店、穿搭建议、会员礼遇，我第一时间告诉您",
    hint="微信扫一扫，加我为专属导购",
    qr_content=CONTENT,
)
LONG = dataclasses.replace(
    TEXTS,
    brand="素衣生活方式集合品牌" * 6,
    guide_name="古丽米热·阿卜杜热合曼·买买提明江" * 3,
    store_name="上海虹桥国际机场二号航站楼出发层旗舰体验店" * 3,
    address="浦东新区世纪大道 8888 号 " * 20,
    phone="021-63220118 转 8001 " * 5,
    invitation="新品到店、穿搭建议" * 30,
    hint="微信扫一扫" * 20,
)


def read(picture: Image.Image) -> Any:
    found = zxingcpp.read_barcodes(picture.convert("L"))
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("texts", [TEXTS, LONG], ids=["usual", "long"])
def test_the_finished_poster_can_be_scanned(texts):
    picture = Image.open(io.BytesIO(draw_poster(texts).png))

    assert picture.size == (1080, 1920)
    found = read(picture)
    assert found.text == CONTENT
    assert found.ec_level == "Q"
    assert found.position.top_right.x - found.position.top_left.x >= 300


def test_a_poster_photographed_small_and_askew_can_be_scanned():
    picture = Image.open(io.BytesIO(draw_poster(TEXTS).png)).convert("L")

    assert read(picture.resize((360, 640)).rotate(8, fillcolor=128)).text == CONTENT


@pytest.mark.parametrize("texts", [TEXTS, LONG], ids=["usual", "long"])
def test_no_text_leaves_the_canvas_or_touches_the_code(texts):
    poster = draw_poster(texts)
    corners = read(Image.open(io.BytesIO(poster.png))).position
    left, top = corners.top_left.x, corners.top_left.y
    right, bottom = corners.bottom_right.x, corners.bottom_right.y

    assert len(poster.text_boxes) >= 8
    for text, (x0, y0, x1, y1) in poster.text_boxes:
        assert 0 <= x0 < x1 <= WIDTH, text
        assert 0 <= y0 < y1 <= HEIGHT, text
        assert x1 < left or x0 > right or y1 < top or y0 > bottom, text


@pytest.mark.parametrize("texts", [TEXTS, LONG], ids=["usual", "long"])
def test_lines_of_text_do_not_overlap(texts):
    boxes = [box for _text, box in draw_poster(texts).text_boxes]

    for number, (x0, y0, x1, y1) in enumerate(boxes):
        for a0, b0, a1, b1 in boxes[number + 1 :]:
            assert x1 <= a0 or a1 <= x0 or y1 <= b0 or b1 <= y0


def test_a_long_name_ends_in_an_ellipsis_only_after_shrinking_and_wrapping():
    written = [
        text for text, _box in draw_poster(dataclasses.replace(TEXTS, guide_name="欧" * 14)).text_boxes
    ]
    assert "".join(text for text in written if "欧" in text) == "欧" * 14

    written = [
        text for text, _box in draw_poster(dataclasses.replace(TEXTS, guide_name="欧" * 200)).text_boxes
    ]
    assert [text[-1] for text in written if "欧" in text] == ["欧", "…"]


def test_an_empty_line_is_left_out():
    poster = draw_poster(dataclasses.replace(TEXTS, address="", phone=""))

    assert TEXTS.store_name in [text for text, _box in poster.text_boxes]
    assert len(poster.text_boxes) == len(draw_poster(TEXTS).text_boxes) - 2


def test_chinese_is_drawn_with_real_glyphs():
    first = draw_poster(dataclasses.replace(TEXTS, guide_name="李娜"))
    second = draw_poster(dataclasses.replace(TEXTS, guide_name="王芳"))
    box = dict(first.text_boxes)["李娜"]

    one = Image.open(io.BytesIO(first.png)).convert("L").crop(box)
    other = Image.open(io.BytesIO(second.png)).convert("L").crop(box)
    assert one.tobytes() != other.tobytes()  # two tofu boxes would be equal


def test_the_logo_stands_above_the_brand(tmp_path):
    path = tmp_path / "logo.png"
    Image.new("RGBA", (300, 300), (255, 0, 0, 255)).save(path)

    picture = Image.open(io.BytesIO(draw_poster(dataclasses.replace(TEXTS, logo_path=str(path))).png))

    assert picture.convert("RGB").crop((WIDTH // 2, 140, WIDTH // 2 + 1, 141)).tobytes()[0] > 200
    assert read(picture).text == CONTENT


def test_a_missing_logo_costs_the_logo_only():
    poster = draw_poster(dataclasses.replace(TEXTS, logo_path="/nowhere/logo.png"))

    assert read(Image.open(io.BytesIO(poster.png))).text == CONTENT


def test_the_fingerprint_changes_with_what_the_poster_says():
    assert TEXTS.fingerprint == dataclasses.replace(TEXTS).fingerprint
    assert TEXTS.fingerprint != dataclasses.replace(TEXTS, guide_name="王芳").fingerprint
    assert (
        TEXTS.fingerprint != dataclasses.replace(TEXTS, qr_content="http://weixin.qq.com/q/other").fingerprint
    )


def test_the_bare_code_has_its_quiet_zone_and_can_be_scanned():
    picture = Image.open(io.BytesIO(qr.draw_png(CONTENT)))
    found = read(picture)

    assert found.text == CONTENT
    module = found.position.top_left.x / qr.QUIET_ZONE
    assert module >= 8
    border = picture.convert("L").crop((0, 0, picture.width, round(module * qr.QUIET_ZONE) - 1))
    assert border.getextrema() == (255, 255)


def test_the_svg_is_labelled_and_escapes_its_label():
    drawn = qr.draw_svg(CONTENT, label="<李娜>的二维码")

    assert "<title>&lt;李娜&gt;的二维码</title>" in drawn
    assert 'style="' not in drawn
