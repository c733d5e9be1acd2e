"""Templates whose constant parts are rendered when they are loaded, not at every visit.

A page is mostly frame: words to translate, addresses without arguments, static files, icons. They come out the same each
time, and Django works each of them out anew at every rendering. This loader replaces them by the text they become, one
copy of the template for each language, and joins what then stands side by side; lines lose their indentation.

What varies is mostly `{{ row.name }}` and `{% if row.is_new %}` on our frozen pages. For these a short way is taken first:
attributes of objects that cannot be subscripted, plain text, escaped. Anything else goes Django's own way.
"""

import html
import re
from collections.abc import Iterable
from typing import Any, Final

from django.template import Context, Node, Origin, Template
from django.template.base import (
    FilterExpression,
    NodeList,
    TextNode,
    Variable,
    VariableNode,
    render_value_in_context,
)
from django.template.defaulttags import IfNode, URLNode
from django.template.library import SimpleNode
from django.template.loaders import cached
from django.templatetags.i18n import TranslateNode
from django.templatetags.static import StaticNode
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language

_WIDE: Final = re.compile(r"\s*\n\s*")
_SOMEBODY: Final = "SomebodyWeDoNotKnow"
_LISTS: Final = ("nodelist", "nodelist_loop", "nodelist_empty")


class Loader(cached.Loader):
    """The cached loader, which keeps folded templates, by language; those outside of `folders` as they are."""

    def __init__(self, engine: Any, folders: Iterable[str], loaders: Iterable[Any]) -> None:
        super().__init__(engine, list(loaders))
        self.folders: Final = tuple(f"{folder}/" for folder in folders)

    def cache_key(self, template_name: str, skip: "list[Origin] | None" = None) -> str:
        return f"{get_language()}:{super().cache_key(template_name, skip)}"

    def get_template(self, template_name: str, skip: "list[Origin] | None" = None) -> Template:
        key = self.cache_key(template_name, skip)
        is_known = key in self.get_template_cache
        template = super().get_template(template_name, skip)
        if not is_known and template_name.startswith(self.folders):
            fold(template.nodelist)
        return template


def fold(nodes: NodeList) -> None:
    """Replace what is constant by its text, here and in all lists below, and join neighbouring texts."""
    folded: list[Node] = []
    for node in nodes:
        for below in _lists_of(node):
            fold(below)
        _shorten(node)
        text = _text_of(node)
        if text is None:
            folded.append(node)
        elif folded and isinstance(folded[-1], TextNode):
            folded[-1] = TextNode(folded[-1].s + text)
        else:
            folded.append(TextNode(text))
    nodes[:] = folded


class _ShortExpression(FilterExpression):
    """`row.name` without filters."""

    __slots__ = ("first", "rest")

    def __init__(self, whole: FilterExpression) -> None:
        self.token, self.filters, self.var, self.is_var = whole.token, whole.filters, whole.var, whole.is_var
        self.first, *self.rest = whole.var.lookups

    def resolve(self, context: Any, ignore_failures: bool = False) -> Any:
        try:
            value = context[self.first]
            for name in self.rest:
                if hasattr(type(value), "__getitem__"):
                    return super().resolve(context, ignore_failures)
                value = getattr(value, name)
        except (KeyError, AttributeError):
            return super().resolve(context, ignore_failures)
        return super().resolve(context, ignore_failures) if callable(value) else value


class _ShortNode(VariableNode):
    """`{{ row.name }}`, where it is text."""

    def render(self, context: Any) -> str:
        value = self.filter_expression.resolve(context)
        if value.__class__ is str and context.autoescape:
            return html.escape(value)
        return render_value_in_context(value, context)


class _ShortURL(URLNode):
    """`{% url "page" row.public_id %}`, where what is asked for is letters and digits."""

    before: str
    after: str

    def render(self, context: Any) -> str:
        value = self.args[0].resolve(context)
        if value.__class__ is str and value.isascii() and value.isalnum():
            return self._give(context, f"{self.before}{value}{self.after}")
        return super().render(context)

    def _give(self, context: Any, address: str) -> str:
        if self.asvar:
            context[self.asvar] = address
            return ""
        return address


def _shorten_url(node: URLNode) -> None:
    try:
        address = reverse(node.view_name.resolve(Context()), args=[_SOMEBODY])
    except NoReverseMatch:
        return
    short: Any = node
    short.__class__ = _ShortURL
    short.before, short.after = html.escape(address).split(_SOMEBODY)


def _shorten(node: Node) -> None:
    if isinstance(node, URLNode):
        if len(node.args) == 1 and not node.kwargs and _is_literal(node.view_name):
            _shorten_url(node)
        return
    if isinstance(node, VariableNode):
        if _is_short(node.filter_expression):
            node.filter_expression = _ShortExpression(node.filter_expression)
            node.__class__ = _ShortNode
    elif isinstance(node, IfNode):
        for condition, _nodes in node.conditions_nodelists:
            literal: Any = condition
            expression = getattr(literal, "value", None)
            if isinstance(expression, FilterExpression) and _is_short(expression):
                literal.value = _ShortExpression(expression)


def _is_short(expression: FilterExpression) -> bool:
    if expression.filters or not isinstance(expression.var, Variable):
        return False
    return bool(expression.var.lookups) and not expression.var.translate


def _lists_of(node: Node) -> list[NodeList]:
    if isinstance(node, IfNode):
        return [nodes for _condition, nodes in node.conditions_nodelists]
    found = [getattr(node, name, None) for name in _LISTS]
    return [nodes for nodes in found if isinstance(nodes, NodeList)]


def _is_constant(node: Node) -> bool:
    if isinstance(node, TranslateNode):
        return node.asvar is None and node.message_context is None and _is_literal(node.filter_expression)
    if isinstance(node, URLNode):
        return node.asvar is None and not node.args and not node.kwargs and _is_literal(node.view_name)
    if isinstance(node, StaticNode):
        return node.varname is None and _is_literal(node.path)
    if isinstance(node, SimpleNode):
        is_fit = getattr(node.func, "is_constant", False) and node.target_var is None
        return is_fit and not node.kwargs and all(map(_is_literal, node.args))
    return False


def _is_literal(expression: FilterExpression) -> bool:
    if expression.filters:
        return False
    if isinstance(expression.var, Variable):
        return expression.var.lookups is None
    return isinstance(expression.var, str)


def _text_of(node: Node) -> str | None:
    """What the node always says; None where that varies."""
    if isinstance(node, TextNode):
        return _WIDE.sub("\n", node.s)
    if not _is_constant(node):
        return None
    try:
        return str(node.render(Context()))
    except NoReverseMatch:  # it may stand where nobody comes by
        return None
