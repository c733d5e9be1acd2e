"""One cell at a time: what is read, and what is refused instead of guessed."""

import contextlib
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import clock
from core.imports.contracts import BadValue
from members.services.import_places import find_place
from members.services.import_values import (
    read_birthday,
    read_card,
    read_gender,
    read_name,
    read_phone,
    read_points,
    read_registered,
    read_tags,
    read_wechat_id,
)


def refusal(read, text: str) -> str:
    with pytest.raises(BadValue) as bad:
        read(text)
    return bad.value.code


@pytest.mark.parametrize(
    "text",
    ["13812345678", " 138 1234 5678 ", "138-1234-5678", "+8613812345678", "008613812345678", "86 138 1234 5678",
     "１３８１２３４５６７８", "13812345678.0", "'13812345678", "+86-138-1234-5678", "(+86)13812345678"],
)  # fmt: skip
def test_a_phone_is_read_however_it_is_written(text: str) -> None:
    assert read_phone(text) == "13812345678"


@pytest.mark.parametrize(
    ("text", "code"),
    [("021-63220118", "phone_landline"), ("02163220118", "phone_landline"), ("400-820-8820", "phone_landline"),
     ("+86 21 6322 0118", "phone_unusable"), ("138****5678", "phone_masked"), ("1.38123E+10", "phone_scientific"),
     ("1381234567", "phone_unusable"), ("12812345678", "phone_unusable"), ("13812345678/13912345678", "phone_unusable"),
     ("王芳", "phone_unusable"), ("=CMD|'/c calc'!A0", "phone_unusable"), ("９" * 5000, "phone_unusable")],
)  # fmt: skip
def test_what_is_no_mobile_number_is_refused(text: str, code: str) -> None:
    assert refusal(read_phone, text) == code


@pytest.mark.parametrize("text", ["", " ", "-", "无", "NULL", "N/A", "未知", "\u3000", "\0"])
def test_words_for_nothing_are_nothing(text: str) -> None:
    assert (read_phone(text), read_name(text), read_gender(text), read_card(text)) == ("", ("", ""), "", "")
    assert (read_birthday(text), read_registered(text), read_points(text), read_tags(text)) == (
        None,
        None,
        None,
        [],
    )


@settings(deadline=None)
@given(
    st.integers(13_000_000_000, 19_999_999_999),
    st.sampled_from(["{}", "+86{}", "0086 {}", "{}.0", "\u3000{}\t"]),
)
def test_every_mobile_number_survives_every_dress(number: int, dress: str) -> None:
    assert read_phone(dress.format(number)) == str(number)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_by_every_reader(text: str) -> None:
    for read in (read_phone, read_name, read_gender, read_birthday, read_registered, read_points, read_card,
                 read_tags, read_wechat_id, find_place):  # fmt: skip
        with contextlib.suppress(BadValue):
            read(text)


@pytest.mark.parametrize(
    ("text", "name", "gender"),
    [(" 王 小美 ", "王 小美", ""), ("王小明先生", "王小明", "male"), ("王女士", "王女士", "female"), ("李\0芳", "李 芳", ""),
     ("Ｌｕｃｙ", "Lucy", ""), ("欧阳小姐", "欧阳", "female"), ("阿卜杜·热合曼", "阿卜杜·热合曼", ""), ("女士", "女士", "")],
)  # fmt: skip
def test_names_lose_their_forms_of_address(text: str, name: str, gender: str) -> None:
    assert read_name(text) == (name, gender)


def test_a_name_is_neither_a_number_nor_a_novel() -> None:
    assert refusal(read_name, "13812345678") == "name_unusable"
    assert refusal(read_name, "王" * 61) == "name_too_long"


@pytest.mark.parametrize(
    "text",
    ["1990-05-01", "1990-5-1", "1990/05/01", "1990.5.1", "19900501", "1990年5月1日", "1990年05月01号", " 1990 - 05 - 01 ",
     "1990-05-01 00:00:00", "1990-05-01T00:00:00", "32994", "１９９０-０５-０１"],
)  # fmt: skip
def test_a_day_is_read_in_every_order_that_is_clear(text: str) -> None:
    assert read_birthday(text) == dt.date(1990, 5, 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [("90-5-1", "date_two_digit_year"), ("900501", "date_two_digit_year"), ("90年5月1日", "date_two_digit_year"),
     ("5/1/1990", "date_order_unclear"), ("5月1日", "date_no_year"), ("农历1990年五月初一", "date_lunar"),
     ("1990年腊月廿三", "date_lunar"), ("1990-02-30", "date_unusable"), ("1990-13-01", "date_unusable"),
     ("0001-01-01", "date_too_early"), ("1899-12-31", "date_too_early"), ("2999-01-01", "date_future"),
     ("1990-05-01 12:00:00", "date_unusable"), ("生日", "date_unusable"), ("1990", "date_unusable")],
)  # fmt: skip
def test_a_day_that_would_have_to_be_guessed_is_refused(text: str, code: str) -> None:
    assert refusal(read_birthday, text) == code


@settings(deadline=None)
@given(st.dates(dt.date(1930, 1, 1), dt.date(2020, 1, 1)))
def test_a_day_survives_writing_and_reading(day: dt.date) -> None:
    serial = (day - dt.date(1899, 12, 30)).days
    texts = [day.isoformat(), f"{day:%Y%m%d}", f"{day.year}年{day.month}月{day.day}日", str(serial)]
    assert {read_birthday(text) for text in texts} == {day}


@pytest.mark.parametrize(
    "text", ["2020-03-01 10:30", "2020-03-01T10:30:00+08:00", "20200301103000", "2020年3月1日 上午 10:30"]
)
def test_an_instant_is_in_shanghai(text: str) -> None:
    assert read_registered(text) == dt.datetime(2020, 3, 1, 10, 30, tzinfo=clock.SHANGHAI)


def test_instants_are_not_in_the_future_and_days_begin_at_midnight() -> None:
    assert read_registered("2020-03-01") == dt.datetime(2020, 3, 1, tzinfo=clock.SHANGHAI)
    assert read_registered("2020-03-01 下午 1:05") == dt.datetime(2020, 3, 1, 13, 5, tzinfo=clock.SHANGHAI)
    assert refusal(read_registered, "2999-01-01 10:00") == "date_future"
    assert refusal(read_registered, "2020-03-01 25:00") == "date_unusable"


@pytest.mark.parametrize(
    ("text", "gender"),
    [("女", "female"), ("先生", "male"), ("M", "male"), ("1", "male"), ("2.0", "female"), ("保密", "")],
)
def test_genders_are_told_in_many_words(text: str, gender: str) -> None:
    assert read_gender(text) == gender


def test_odd_values_of_the_small_columns() -> None:
    assert refusal(read_gender, "男女") == "gender_unusable"
    assert (read_points("1,200"), read_points("80.00"), read_points("50分"), read_points("0")) == (
        1200,
        80,
        50,
        0,
    )
    assert [refusal(read_points, text) for text in ("1.5", "-1", "很多", "9" * 30)] == [
        "points_fraction", "points_negative", "points_unusable", "points_too_many",
    ]  # fmt: skip
    assert (read_card(" vip 001 "), read_card("8800123.0")) == ("vip001", "8800123")
    assert [refusal(read_card, text) for text in ("6.22E+18", "卡一", "x" * 81)] == [
        "card_scientific", "card_unusable", "card_unusable",
    ]  # fmt: skip
    assert read_tags("敏感肌、油皮；敏感肌 / VIP") == ["敏感肌", "油皮", "VIP"]
    assert [refusal(read_tags, text) for text in ("长" * 21, ",".join(map(str, range(30))))] == [
        "tag_too_long", "too_many_tags",
    ]  # fmt: skip
    assert refusal(read_wechat_id, "o 坏") == "wechat_id_unusable"


@pytest.mark.parametrize(
    ("text", "place"),
    [("上海市徐汇区虹漕路461号", ("上海市", "上海市", "徐汇区", "虹漕路461号")),
     ("上海南京东路300号", ("上海市", "上海市", "", "南京东路300号")),
     ("北京市北京市海淀区中关村", ("北京市", "北京市", "海淀区", "中关村")),
     ("江苏 苏州 昆山市 玉山镇", ("江苏省", "苏州市", "昆山市", "玉山镇")),
     ("昆山市前进路1号", ("江苏省", "苏州市", "昆山市", "前进路1号")),
     ("新疆乌鲁木齐天山区解放路", ("新疆维吾尔自治区", "乌鲁木齐市", "天山区", "解放路")),
     ("云南大理大理市古城", ("云南省", "大理白族自治州", "大理市", "古城")),
     ("河南省直辖县级行政区划济源市", ("河南省", "", "济源市", "")),
     ("重庆市云阳县滨江路", ("重庆市", "重庆市", "云阳县", "滨江路")),
     ("朝阳北路8号", ("", "", "", "朝阳北路8号")), ("鼓楼区中山路", ("", "", "", "鼓楼区中山路")), ("", ("", "", "", ""))],
)  # fmt: skip
def test_places_are_recognised_and_never_guessed(text: str, place: tuple[str, str, str, str]) -> None:
    found = find_place(text)
    assert (found.province, found.city, found.district, found.street) == place
