"""Nodes of folded templates (core/folding.py): Django's own, by a shorter way where what they meet is plain.

Plain are texts, whole numbers, tuples, and attributes of objects that cannot be subscripted, as our frozen pages have
them. Whatever else comes by goes Django's own way, so the same is said either way.
"""

import html
from typing import Any, Final

from django.conf import settings
from django.template.base import (
    FilterExpression,
    NodeList,
    TextNode,
    Variable,
    VariableNode,
    render_value_in_context,
)
from django.template.defaulttags import CycleNode, ForNode, IfChangedNode, URLNode
from django.template.loader_tags import BlockNode, ExtendsNode, IncludeNode
from django.templatetags.i18n import BlockTranslateNode
from django.utils.safestring import SafeString

_PLAIN: Final[set[type]] = set()  # classes that cannot be subscripted
_STATEFUL: Final = (
    BlockNode,
    CycleNode,
    ExtendsNode,
    IfChangedNode,
)  # they keep something for each rendering


class Run(NodeList):
    """Nodes side by side. What Django notes about a node that fails is for its debug page only."""

    def render(self, context: Any) -> SafeString:
        return SafeString(
            "".join([node.s if node.__class__ is TextNode else node.render(context) for node in self])
        )


class ShortExpression(FilterExpression):
    """`row.name` without filters."""

    __slots__ = ("first", "rest")

    def __init__(self, whole: FilterExpression) -> None:
        self.token, self.filters, self.var, self.is_var = whole.token, whole.filters, whole.var, whole.is_var
        self.first, *self.rest = whole.var.lookups

    @staticmethod
    def fits(expression: FilterExpression) -> bool:
        if expression.filters or not isinstance(expression.var, Variable):
            return False
        return bool(expression.var.lookups) and not expression.var.translate

    def resolve(self, context: Any, ignore_failures: bool = False) -> Any:
        first = self.first
        for scope in reversed(context.dicts):
            if first in scope:
                value = scope[first]
                break
        else:
            return super().resolve(context, ignore_failures)
        try:
            for name in self.rest:
                if type(value) not in _PLAIN:
                    if hasattr(type(value), "__getitem__"):
                        return super().resolve(context, ignore_failures)
                    _PLAIN.add(type(value))
                value = getattr(value, name)
        except AttributeError:
            return super().resolve(context, ignore_failures)
        return super().resolve(context, ignore_failures) if callable(value) else value


class ShortVariable(VariableNode):
    """`{{ row.name }}`."""

    def render(self, context: Any) -> str:
        return _said(self.filter_expression.resolve(context), context)


class ShortTranslation(BlockTranslateNode):
    """`{% blocktranslate with name=row.name %}`: translated once, filled in each time."""

    message: str

    def render(self, context: Any, nested: bool = False) -> str:
        given = self.extra_context.items()
        return self.message % {name: _said(value.resolve(context), context) for name, value in given}


def _said(value: Any, context: Any) -> str:
    """The value as it stands in the page."""
    if type(value) is str and context.autoescape:
        return value if value.isalnum() else html.escape(value)
    if type(value) is int and not settings.USE_THOUSAND_SEPARATOR:
        return str(value)
    return render_value_in_context(value, context)


class ShortURL(URLNode):
    """`{% url "page" row.public_id %}`, where what is asked for is letters and digits."""

    before: str
    after: str

    def render(self, context: Any) -> str:
        value = self.args[0].resolve(context)
        if type(value) is str and value.isascii() and value.isalnum():
            address = f"{self.before}{value}{self.after}"
            if not self.asvar:
                return address
            context[self.asvar] = address
            return ""
        return super().render(context)


class ShortFor(ForNode):
    """`{% for row in rows %}`, where the rows are a tuple or a list."""

    def render(self, context: Any) -> Any:
        sequence: Any = self.sequence
        rows = sequence.resolve(context, ignore_failures=True)
        if type(rows) not in (tuple, list) or not rows:
            return super().render(context)
        body: Any = self.nodelist_loop
        outer, name, last = context.get("forloop", {}), self.loopvars[0], len(rows) - 1
        said = []
        with context.push() as scope:
            loop = scope["forloop"] = {"parentloop": outer}
            for number, row in enumerate(rows):
                loop["counter0"], loop["counter"] = number, number + 1
                loop["revcounter"], loop["revcounter0"] = last - number + 1, last - number
                loop["first"], loop["last"] = number == 0, number == last
                scope[name] = row
                said.append(body.render(context))
        return SafeString("".join(said))


class ShortInclude(IncludeNode):
    """`{% include "row.html" with row=row only %}`: the template is looked up once, its context made without copies."""

    found: NodeList | None = None

    def render(self, context: Any) -> Any:
        nodes: Any = self.found
        if nodes is None:
            template = context.template.engine.get_template(str(self.template.var))
            if any(template.nodelist.get_nodes_by_type(kind) for kind in _STATEFUL):
                return super().render(context)
            nodes = self.found = template.nodelist
        values = {name: given.resolve(context) for name, given in self.extra_context.items()}
        if self.isolated_context:
            return nodes.render(_alone(context, values))
        with context.push(**values):
            return nodes.render(context)


def _alone(context: Any, values: dict[str, Any]) -> Any:
    """What `context.new(values)` is, but for the dictionaries that it copies to drop them."""
    fresh = object.__new__(context.__class__)
    fresh.__dict__.update(context.__dict__)
    fresh.__dict__.pop("_processors_index", None)
    fresh.dicts = [context.dicts[0], values]
    return fresh
