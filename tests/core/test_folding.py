"""Folded templates say what the same templates say unfolded."""

import dataclasses
from typing import Any

import pytest
from django.template import Context, Engine, Template
from django.template.base import TextNode
from django.template.loader_tags import BlockNode, ExtendsNode
from django.utils.functional import SimpleLazyObject
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
    "{% load i18n %}{% blocktranslate with who=row.name %}看看 100% {{ who }}的券{% endblocktranslate %}"
    "{% blocktranslate with who=row.name n=row.count %}{{ n }}{% endblocktranslate %}"
    "{% blocktranslate with who=row.missing trimmed %} 一 {{ who }} 位\n {% endblocktranslate %}"
    "{% blocktranslate with who=row.name asvar said %}{{ who }}?{% endblocktranslate %}{{ said }}"
    "{% blocktranslate count n=row.count %}一张{% plural %}{{ n }} 张{% endblocktranslate %}"
    "{% blocktranslate %}{{ pairs }}{% endblocktranslate %}",
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


_PARTS = {
    "assistant/t_base.html": "<a>{% block title %}外 {% url 'assistant:home' as to %}{{ to }}{% endblock %}{{ to }}"
    "{% block more %}多{% endblock %}{% block none %}没有{% endblock %}</a>",
    "assistant/t_page.html": "{% extends 'assistant/t_base.html' %}{% block more %}[{{ block.super }}"
    "{% block inner %}里{% endblock %}]{% endblock %}",
    "assistant/t_leaf.html": "{% extends 'assistant/t_page.html' %}{% block inner %}{{ row.name }}{% endblock %}"
    "{% block none %}{% endblock %}{% block more %}<{{ block.super }}>{% if row.is_new %}{{ block.super }}{% endif %}"
    "{% for row in rows %}"
    "{% include 'assistant/t_row.html' with one=row is_last=forloop.last only %}"
    "{% include 'assistant/t_name.html' with one=row is_first=forloop.first only %}"
    "{% include 'assistant/t_name.html' with one=rows.1 %}"
    "{% endfor %}{% include row.name|default:'assistant/t_row.html' %}{% endblock %}",
    "assistant/t_row.html": "({{ one.name }}{{ one.count }}{% if is_last %}!{% endif %}{{ row.name }}"
    "{% include 'assistant/t_small.html' with two=row.name %}"
    "{% include 'assistant/t_small.html' with two=one.name only %})",
    "assistant/t_small.html": "{{ two }}{% if one %}{% cycle 'x' 'y' %}{% endif %}{% csrf_token %}",
    "assistant/t_name.html": "<i>{{ one.name }}{{ row.name }}{{ is_first }}</i>{% csrf_token %}",
    "assistant/t_varies.html": "{% extends parent %}{% block title %}{{ row.name }}{% endblock %}",
}
_LOADER = ("django.template.loaders.locmem.Loader", _PARTS)
_FOLDING = ("core.folding.Loader", ["assistant"], [_LOADER])


@pytest.mark.parametrize(
    "name", ["assistant/t_leaf.html", "assistant/t_page.html", "assistant/t_varies.html"]
)
@pytest.mark.parametrize("is_new", [True, False])
def test_what_is_inherited_and_included_says_the_same(name: str, is_new: bool) -> None:
    rows = (_Row("甲"), _Row("<乙>", count=3), _Row("丙", is_new=True))
    values: dict[str, Any] = {"row": _Row("", is_new=is_new), "rows": rows, "csrf_token": "t"}
    values["parent"] = "assistant/t_page.html"
    plain = Engine(loaders=[_LOADER])
    folded = Engine(loaders=[_FOLDING])
    said = plain.get_template(name).render(Context(values))
    assert "多" in said
    for _time in range(2):
        assert folded.get_template(name).render(Context(values)) == said


def test_what_follows_from_literal_names_is_worked_out_when_it_is_loaded() -> None:
    engine = Engine(loaders=[_FOLDING])
    leaf = engine.get_template("assistant/t_leaf.html")
    assert not leaf.nodelist.get_nodes_by_type(BlockNode)
    assert not leaf.nodelist.get_nodes_by_type(ExtendsNode)
    assert engine.get_template("assistant/t_varies.html").nodelist.get_nodes_by_type(ExtendsNode)


def test_a_lazy_text_is_no_plain_text() -> None:
    template = Template("{{ word }}", engine=Engine.get_default())
    fold(template.nodelist)
    assert template.render(Context({"word": SimpleLazyObject(lambda: "张三")})) == "张三"
