"""What a topic's template will look like, before anything is sent with it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.contracts import TOPICS
from campaigns.services.previewing import find_fault, preview_mapping, sample_of
from wechat.contracts import TemplateCard, TemplateField
from wechat.errors import TemplateFieldUnfit
from wechat.services.template_fields import KINDS, fit_value


def field(kind: str, number: int = 1) -> TemplateField:
    return TemplateField(name=f"{kind}{number}", kind=kind, label=f"栏{number}", example="")


def card(*fields: TemplateField) -> TemplateCard:
    values: dict[str, Any] = dict.fromkeys(TemplateCard.__dataclass_fields__, "")
    return TemplateCard(**(values | {"fields": fields, "is_live": True, "title": "消费成功通知"}))


@pytest.mark.parametrize("topic", TOPICS)
def test_every_value_of_every_topic_has_a_sample_and_a_long_one_as_text(topic: str) -> None:
    for value in TOPICS[topic].values:
        for is_long in (False, True):
            assert sample_of(topic=topic, value=value, is_long=is_long)
        assert not find_fault(topic=topic, field=field("thing"), source={"value": value})


def test_every_cut_is_shown_with_what_it_was() -> None:
    template = card(
        field("thing"), field("amount", 2), field("time", 3), field("name", 4), field("number", 5)
    )
    fields = {
        "thing1": {"value": "store"},
        "amount2": {"value": "amount"},
        "time3": {"value": "time"},
        "name4": {"value": "member"},
        "number5": {"words": "很多"},
    }
    plain = preview_mapping(topic="sale", card=template, fields=fields)
    assert [line.shown for line in plain[:2]] == ["素衣湖滨银泰店", "¥1899"]
    assert not any(line.whole for line in plain[:4])
    assert (plain[4].shown, plain[4].fault) == ("", str(KINDS["number"].words))
    long = preview_mapping(topic="sale", card=template, fields=fields, is_long=True)
    assert long[0].shown.endswith("…")
    assert long[0].whole == sample_of(topic="sale", value="store", is_long=True)
    assert long[3].whole
    assert long[1].fault == ""


@pytest.mark.parametrize(
    ("kind", "source", "words"),
    [
        ("thing", {"words": "字" * 21}, "要填20 个字以内，现在会变成"),
        ("thing", {"words": " \x00 "}, "请填写固定文字"),
        ("phrase", {"words": "done"}, "现在会变成「无」"),
        ("number", {"words": "两张"}, "要填32 位以内的数字"),
        ("amount", {"value": "store"}, "「门店」填不进这里"),
        ("time", {"value": "title"}, "「标题」填不进这里"),
        ("thing", {"words": "到店使用"}, ""),
        ("amount", {"value": "amount"}, ""),
    ],
)
def test_why_a_keyword_may_not_be_filled_so_is_said(kind: str, source: dict[str, str], words: str) -> None:
    fault = find_fault(topic="sale", field=field(kind), source=source)
    assert fault.startswith(words) or words in fault
    assert bool(fault) == bool(words)


@given(st.sampled_from(sorted(KINDS)), st.text(max_size=80))
def test_a_fixed_text_without_a_fault_goes_out_as_it_was_written(kind: str, words: str) -> None:
    one = field(kind)
    if find_fault(topic="sale", field=one, source={"words": words}):
        return
    try:
        fitted = fit_value(one, words)
    except TemplateFieldUnfit:  # pragma: no cover
        pytest.fail("said to fit")
    if kind not in ("time", "date", "amount", "number"):
        assert fitted == " ".join(fitted.split())
        assert (
            preview_mapping(topic="sale", card=card(one), fields={one.name: {"words": words}})[0].whole == ""
        )
