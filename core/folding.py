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
from django.template.base import FilterExpression, NodeList, TextNode, Variable, VariableNode
from django.template.defaulttags import ForNode, IfNode, URLNode, WithNode
from django.template.library import SimpleNode
from django.template.loader_tags import IncludeNode
from django.template.loaders import base, cached
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.templatetags.static import StaticNode
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language, gettext

from core.inheriting import Scope, inherited, lists_of
from core.short_nodes import (
    Run,
    ShortExpression,
    ShortFor,
    ShortInclude,
    ShortTranslation,
    ShortURL,
    ShortVariable,
)

_WIDE: Final = re.compile(r"\s*\n\s*")
_SOMEBODY: Final = "SomebodyWeDoNotKnow"


class Loader(cached.Loader):
    """The cached loader, which keeps folded templates, by language; those outside of `folders` as they are."""

    def __init__(self, engine: Any, folders: Iterable[str], loaders: Iterable[Any]) -> None:
        super().__init__(engine, list(loaders))
        self.folders: Final = tuple(f"{folder}/" for folder in folders)

    def cache_key(self, template_name: str, skip: "list[Origin] | None" = None) -> str:
        return f"{get_language()}:{super().cache_key(template_name, skip)}"

    def get_template(self, template_name: str, skip: "list[Origin] | None" = None) -> Template:
        if skip or not template_name.startswith(self.folders):
            return super().get_template(template_name, skip)
        key = self.cache_key(template_name)
        template = self.get_template_cache.get(key)
        if template is None:
            # Whole before another thread may find it.
            template = self._fresh(template_name)
            template.nodelist = inherited(template, self._fresh)
            fold(template.nodelist)
            self.get_template_cache[key] = template
        return template

    def _fresh(self, template_name: str) -> Template:
        return base.Loader.get_template(self, template_name)


def fold(nodes: NodeList) -> None:
    """Replace what is constant by its text, here and in all lists below, and join neighbouring texts."""
    folded: list[Node] = []
    nodes.__class__ = Run
    for node in nodes:
        for below in lists_of(node):
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


def _shorten(node: Node) -> None:
    """Let it take the shorter way of core/short_nodes.py, where there is one."""
    for name in ("sequence", "filter_expression"):
        if isinstance(expression := getattr(node, name, None), FilterExpression):
            setattr(node, name, _short(expression))
    if isinstance(node, IncludeNode | WithNode | BlockTranslateNode):
        node.extra_context = {name: _short(given) for name, given in node.extra_context.items()}
        if isinstance(node, BlockTranslateNode):
            _shorten_translation(node)
    elif isinstance(node, URLNode):
        node.args = [_short(given) for given in node.args]
        _shorten_url(node)
    elif isinstance(node, IfNode):
        for condition, _nodes in node.conditions_nodelists:
            _shorten_condition(condition)
    kind = _short_kind(node)
    if kind is not None:
        node.__class__ = kind


def _short_kind(node: Node) -> type[Node] | None:
    if node.__class__ is VariableNode and isinstance(node.filter_expression, ShortExpression):
        return ShortVariable
    if isinstance(node, ForNode) and len(node.loopvars) == 1 and not node.is_reversed:
        return ShortFor
    if isinstance(node, IncludeNode) and _is_literal(node.template) and node.template.var[:1] != ".":
        return ShortInclude
    return None


def _short(expression: FilterExpression) -> FilterExpression:
    return ShortExpression(expression) if ShortExpression.fits(expression) else expression


def _shorten_condition(condition: Any) -> None:
    """What is compared, and what is compared with it."""
    if isinstance(value := getattr(condition, "value", None), FilterExpression):
        condition.value = _short(value)
    for side in (getattr(condition, "first", None), getattr(condition, "second", None)):
        if side is not None:
            _shorten_condition(side)


def _shorten_url(node: URLNode) -> None:
    if len(node.args) != 1 or node.kwargs or not _is_literal(node.view_name):
        return
    try:
        address = reverse(node.view_name.resolve(Context()), args=[_SOMEBODY])
    except NoReverseMatch:
        return
    short: Any = node
    short.before, short.after = html.escape(address).split(_SOMEBODY)
    short.__class__ = ShortURL


def _shorten_translation(node: BlockTranslateNode) -> None:
    """Where it says one sentence with the values it is given."""
    if node.plural or node.countervar or node.message_context or node.asvar:
        return
    sentence, names = node.render_token_list(node.singular)
    if set(names) != set(node.extra_context):
        return
    message = gettext(sentence)
    try:
        message % dict.fromkeys(names, "")
    except (KeyError, ValueError):  # a translation that is wrong: Django says the sentence itself
        return
    short: Any = node
    short.message = message
    short.__class__ = ShortTranslation


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
    if isinstance(node, Scope):
        texts = [below for below in node.nodelist if isinstance(below, TextNode)]
        return "".join(text.s for text in texts) if len(texts) == len(node.nodelist) else None
    if not _is_constant(node):
        return None
    try:
        return str(node.render(Context()))
    except NoReverseMatch:  # it may stand where nobody comes by
        return None
