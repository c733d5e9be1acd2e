"""`{% extends %}` worked out when a template is loaded: the outermost template, with the outermost blocks in their places.

Django does this at each rendering, and goes through all nodes of the outermost template for it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.template import Node, Template
from django.template.base import NodeList, TextNode, Variable, VariableNode
from django.template.loader_tags import BlockNode, ExtendsNode

Blocks = Mapping[str, BlockNode]


class Scope(Node):
    """What stood in a block: names that it gives to values are its own."""

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist

    def render(self, context: Any) -> str:
        with context.push():
            return self.nodelist.render(context)


def inherited(template: Template, load: Callable[[str], Template]) -> NodeList:
    """The nodes of the template without inheritance; `load` gives a parent that nobody else has.

    Its own nodes where it inherits from nobody, or from whom a variable says.
    """
    levels: list[Blocks] = []
    while extends := _extends_of(template.nodelist):
        levels.append(extends.blocks)
        template = load(extends.parent_name.var)
    nodes = template.nodelist
    if not levels or isinstance(_first_of(nodes), ExtendsNode):
        return nodes
    outermost: list[Any] = nodes.get_nodes_by_type(BlockNode)
    levels.append({node.name: node for node in outermost})
    return _placed(nodes, levels, ())


def lists_of(node: Node) -> list[NodeList]:
    """The lists of nodes below this one."""
    if hasattr(node, "conditions_nodelists"):
        return [nodes for _condition, nodes in node.conditions_nodelists]
    found = [getattr(node, name, None) for name in ("nodelist", "nodelist_loop", "nodelist_empty")]
    return [nodes for nodes in found if isinstance(nodes, NodeList)]


def _placed(nodes: NodeList, levels: Sequence[Blocks], outer: Sequence[BlockNode]) -> NodeList:
    """These nodes, with what each block says in the end; `outer` are the blocks that `block.super` stands for here."""
    made = NodeList()
    for node in nodes:
        if isinstance(node, BlockNode):
            said = [blocks[node.name] for blocks in levels if node.name in blocks]
            made.append(Scope(_placed(said[0].nodelist, levels, said[1:])))
        elif _is_super(node):
            if outer:
                made.append(Scope(_placed(outer[0].nodelist, levels, outer[1:])))
        else:
            for below in lists_of(node):
                below[:] = _placed(below, levels, outer)
            made.append(node)
    return made


def _extends_of(nodes: NodeList) -> Any:
    """The `{% extends "name" %}` of these nodes."""
    first: Any = _first_of(nodes)
    if not isinstance(first, ExtendsNode):
        return None
    parent: Any = first.parent_name
    is_literal = isinstance(parent.var, str) and not parent.filters and parent.var[:1] != "."
    return first if is_literal else None


def _first_of(nodes: NodeList) -> Node | None:
    return next((node for node in nodes if not isinstance(node, TextNode)), None)


def _is_super(node: Node) -> bool:
    if not isinstance(node, VariableNode) or not isinstance(node.filter_expression.var, Variable):
        return False
    return node.filter_expression.var.lookups == ("block", "super")
