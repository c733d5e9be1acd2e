"""Folded templates say what the same templates say unfolded."""

import dataclasses
from typing import Any

import pytest
from django.template import Context, Engine, Template
from django.template.base import TextNode
from django.utils.safestring import SafeString, mark_safe

from core.folding import fold


@dataclasses.dataclass(frozen=True)
class _Row:
    name: str
    count: int = 0
    is_new: bool = False
    safe: SafeString = dataclasses.field(default_factory=lambda: mark_safe("<b>粗</b>"))

    def said(self) -> str:
        return f"{self.name}!"


_TEXTS = (
    "{% load i18n static assistant_icons %}<p>{% translate '今日' %} {% static 'assistant/icons.svg' %} {% icon 'qr' %}</p>",
    "{% url 'assistant:home' %}|{% url 'assistant:member' row.name %}|{% url 'assistant:member' row.name as to %}{{ to }}",
    "{% for row in rows %}{{ row.name }}{% if row.is_new %}新{% elif row.count %}{{ row.count }}{% endif %}{% endfor %}",
    "{{ row.name }} {{ row.safe }} {{ row.said }} {{ row.missing }} {{ nobody.name }} {{ pairs.name }} {{ pairs.items }}",
    "{% autoescape off %}{{ row.name }}{% endautoescape %}{{ row.name|length }}{{ rows.0.name }}{{ row.count }}",
    "{% load i18n %}{% translate row.name %}{% translate '甲' as word %}{{ word }}{% with a=row.name %}{{ a }}{% endwith %}",
    "{% if row.nothing %}a{% else %}b{% endif %}{% if not row.is_new and row.name %}c{% endif %}",
)


@pytest.mark.parametrize("text", _TEXTS)
@pytest.mark.parametrize("name", ["ABC123", "<b>&\"'", "张三", "a b", ""])
def test_a_folded_template_says_the_same(text: str, name: str) -> None:
    values: dict[str, Any] = {
        "row": _Row(name or "x"),
        "rows": [_Row(name), _Row("乙", count=1280), _Row("丙", is_new=True)],
        "pairs": {"name": name, "items": "不是方法"},
    }
    engine = Engine.get_default()
    plain = Template(text, engine=engine)
    folded = Template(text, engine=engine)
    fold(folded.nodelist)
    assert folded.render(Context(values)) == plain.render(Context(values))


def test_constants_become_one_text_and_lines_lose_their_indentation() -> None:
    template = Template(
        "{% load i18n %}<p>\n        {% translate '今日' %}\n    {% url 'assistant:home' %}</p>",
        engine=Engine.get_default(),
    )
    fold(template.nodelist)
    texts = [node for node in template.nodelist if isinstance(node, TextNode)]
    assert [node.s for node in texts][-1] == "<p>\n今日\n/a/</p>"
