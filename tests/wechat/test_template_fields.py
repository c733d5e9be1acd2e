"""Values fit the kinds of WeChat's fields, whatever is put in."""

import datetime as dt
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core import clock
from core.texts import clean, clusters, width
from wechat.contracts import TemplateCard, TemplateField
from wechat.errors import TemplateFieldUnfit, TemplateGone
from wechat.services.template_fields import KINDS, fit_fields, fit_value, read_template

FAMILY = "👨‍👩‍👧‍👦"
FLAG = "🇨🇳"
THUMB = "👍🏽"
HEART = "❤️"


def field(kind: str) -> TemplateField:
    return TemplateField(f"{kind}1", kind, "字段", "")


def fit(kind: str, value: object) -> str:
    return fit_value(field(kind), value)


def card(*kinds: str, is_live: bool = True) -> TemplateCard:
    return TemplateCard(
        id=1,
        account_id=1,
        account_name="小二",
        app_id="wx1",
        channel="template",
        template_id="T",
        title="发货提醒",
        content="",
        example="",
        fields=tuple(TemplateField(f"{kind}{n}", kind, "字段", "") for n, kind in enumerate(kinds, 1)),
        is_lasting=False,
        is_live=is_live,
        synced_at=clock.now(),
    )


# Reading --------------------------------------------------------------------------------------------------


def test_fields_are_read_with_label_kind_and_example() -> None:
    content = (
        "{{first.DATA}}\n商品名称:{{thing1.DATA}}\n下单时间：{{time2.DATA}}\n"
        "单号: {{character_string13.DATA}}\n{{remark.DATA}}"
    )
    said = "您好\n商品名称:羊毛大衣\n下单时间:2026年11月28日 10:00\n单号:XS2026"
    assert read_template(content, said) == [
        {"name": "thing1", "kind": "thing", "label": "商品名称", "example": "羊毛大衣"},
        {"name": "time2", "kind": "time", "label": "下单时间", "example": "2026年11月28日 10:00"},
        {"name": "character_string13", "kind": "character_string", "label": "单号", "example": "XS2026"},
    ]


@pytest.mark.parametrize("content", ["", "没有字段", "{{}}", "{{thing1}}", "{{ .DATA}}", "{{Thing1.DATA}"])
def test_a_text_without_fields_has_none(content: str) -> None:
    assert read_template(content, "") == []


# Fitting --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "fitted"),
    [
        ("thing", "羊毛大衣", "羊毛大衣"),
        ("thing", "一二三四五六七八九十一二三四五六七八九十", "一二三四五六七八九十一二三四五六七八九十"),
        ("thing", "一二三四五六七八九十一二三四五六七八九十余", "一二三四五六七八九十一二三四五六七八九…"),
        ("thing", "第一行\n第二行\t末", "第一行 第二行 末"),
        ("thing", "", "无"),
        ("thing", None, "无"),
        ("thing", " \n ", "无"),
        ("thing", "一二三四五六七八" + FAMILY, "一二三四五六七八" + FAMILY),
        ("thing", "一二三四五六七八九十" + FAMILY + "末", "一二三四五六七八九十…"),
        ("thing", "a" * 17 + FLAG + "b", "a" * 17 + "…"),
        ("thing", "a\ud83cb\x00", "a b"),
        ("number", "1,234.50", "1234.50"),
        ("number", 88, "88"),
        ("amount", "¥1,234.567", "¥1234.56"),
        ("amount", "1234567890.00元", "1234567890元"),
        ("amount", 12, "12"),
        ("character_string", "XS-2026/1 号", "XS-2026/1"),
        ("character_string", "单号", "-"),
        ("character_string", "x" * 40, "x" * 29 + "..."),
        ("letter", "ab-12", "ab"),
        ("time", "2026-11-28 10:00", "2026年11月28日 10:00"),
        ("time", "2026-11-28T10:00:05", "2026年11月28日 10:00:05"),
        ("time", "9:05", "09:05"),
        ("time", "10:00～12:30", "10:00~12:30"),
        ("date", "2026/1/2", "2026年01月02日"),
        ("date", "2026年1月2日~2026年2月1日", "2026年01月02日~2026年02月01日"),
        ("date", "2026年1月2日 8:00", "2026年01月02日 08:00"),
        ("phone_number", "0571-88886666", "0571-88886666"),
        ("car_number", "浙A12345", "浙A12345"),
        ("name", "欧阳小美", "欧阳小美"),
        ("name", "Alexander Hamilton Jr", "Alexander Hamilton J"),
        ("name", "小美" + HEART + THUMB, "小美"),
        ("name", "一二三四五六七八九十余", "一二三四五六七八九十"),
        ("phrase", "已发货！", "已发货"),
        ("phrase", "已经寄出请收", "已经寄出请"),
        ("phrase", "ok", "无"),
        ("symbol", "&", "&"),
        ("something_new", "一" * 30, "一" * 19 + "…"),
    ],
)
def test_values_fit_their_kind(kind: str, value: object, fitted: str) -> None:
    assert fit(kind, value) == fitted


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", ""),
        ("number", "-5"),
        ("number", "五"),
        ("number", "１２"),
        ("number", "1" * 33),
        ("number", "1e5"),
        ("amount", ""),
        ("amount", "免费"),
        ("amount", "12345678901"),
        ("amount", "¥¥5"),
        ("letter", "12"),
        ("time", ""),
        ("time", "2026-11-28"),
        ("time", "25:00"),
        ("time", "明天"),
        ("time", "10:00~11:00~12:00"),
        ("date", ""),
        ("date", "2026-02-30"),
        ("date", "10:00"),
        ("date", "2026-11-28~"),
        ("phone_number", "138 0000"),
        ("phone_number", "1" * 18),
        ("car_number", "浙A123456789"),
        ("symbol", "abc"),
        ("symbol", ""),
    ],
)
def test_what_cannot_be_made_to_fit_is_refused_with_field_and_rule(kind: str, value: str) -> None:
    with pytest.raises(TemplateFieldUnfit) as caught:
        fit(kind, value)
    assert caught.value.details == {
        "field": f"{kind}1",
        "label": "字段",
        "kind": kind,
        "rule": str(KINDS[kind].words),
    }


def test_every_field_is_filled_and_others_are_left_out() -> None:
    fitted = fit_fields(card("thing", "time"), {"time2": "10:00", "thing9": "x"})
    assert fitted == {"thing1": "无", "time2": "10:00"}


def test_a_template_that_is_gone_takes_nothing() -> None:
    with pytest.raises(TemplateGone):
        fit_fields(card("thing", is_live=False), {})


# Whatever is put in ---------------------------------------------------------------------------------------

LIMITS = {
    "thing": 20,
    "character_string": 32,
    "name": 20,
    "phrase": 5,
    "letter": 32,
    "symbol": 5,
    "car_number": 8,
}
PIECES = st.sampled_from(
    [FAMILY, FLAG, THUMB, HEART, "é", "한", "字", "a", "\n", "\u200d", "\ufe0f", "𠮷", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=30).map("".join))


@given(TEXTS)
@example(FAMILY * 5)
def test_pieces_put_together_are_the_text(text: str) -> None:
    assert "".join(clusters(text)) == text


@given(st.sampled_from(sorted(LIMITS)), TEXTS)
@example("thing", "a" * 19 + FAMILY)
@example("name", "小" * 9 + "𠮷𠮷")
def test_no_value_is_over_its_limit_or_broken(kind: str, text: str) -> None:
    try:
        fitted = fit(kind, text)
    except TemplateFieldUnfit:
        return
    assert 1 <= width(fitted) <= LIMITS[kind]
    assert kind != "name" or fitted.isascii() or width(fitted) <= 10
    assert not re.search(r"[\n\r\x00-\x1f]", fitted)
    fitted.encode()  # no half of a pair


@given(TEXTS)
def test_a_cut_text_ends_between_pieces(text: str) -> None:
    fitted = fit("thing", text)
    if not fitted.endswith("…") or text.endswith("…"):
        return
    whole = list(clusters(clean(text)))
    kept = list(clusters(fitted[:-1]))
    assert kept == whole[: len(kept)] or "".join(kept) == "".join(whole[: len(kept)]).rstrip()


@given(st.sampled_from(sorted(KINDS)), TEXTS)
def test_a_fitted_value_fits_again(kind: str, text: str) -> None:
    try:
        once = fit(kind, text)
    except TemplateFieldUnfit:
        return
    assert fit(kind, once) == once


@given(st.datetimes(min_value=dt.datetime(1900, 1, 1)))
def test_every_moment_python_writes_is_taken(moment: object) -> None:
    assert re.fullmatch(r"\d{4}年\d\d月\d\d日 \d\d:\d\d(:\d\d)?", fit("time", moment))
    assert unicodedata.is_normalized("NFC", fit("date", moment))
