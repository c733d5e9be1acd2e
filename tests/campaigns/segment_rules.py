"""Random rules over the made-up population."""

from typing import Any

from hypothesis import strategies as st

from members.selectors.conditions import (
    Bounds,
    Choice,
    Choices,
    Condition,
    Parameter,
    Picks,
    Texts,
    Whole,
    Window,
    all_conditions,
)
from tests.campaigns.segment_kit import CATEGORIES, DAY, PRODUCTS, World

_DAYS = st.sampled_from([0, 1, 2, 3, 4, 5, 10, 20, 21, 30, 40, 45, 50, 60, 100, 365])
_NUMBERS = {
    True: st.sampled_from([0, 1, 5_000, 9_900, 10_000, 20_000, 20_001, 40_000, 50_000, 500_000]),
    False: st.sampled_from([0, 1, 2, 3, 4, 5, 20, 35, 50, 60, 100]),
}


def rules(world: World, codes: tuple[str, ...] | None = None) -> st.SearchStrategy[Any]:
    """Trees of up to a dozen conditions."""
    known = all_conditions()
    leaves = st.sampled_from(codes or tuple(known)).flatmap(lambda code: _leaf(world, known[code]))
    return st.recursive(leaves, _groups, max_leaves=12).map(_root)


def _groups(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(["all", "any", "none"]).flatmap(
        lambda how: st.lists(parts, min_size=1, max_size=4).map(lambda nodes: {how: nodes})
    )


def _root(node: Any) -> Any:
    return node if "is" not in node else {"all": [node]}


def _leaf(world: World, condition: Condition) -> st.SearchStrategy[Any]:
    required = {
        name: _value(world, one, name) for name, one in condition.parameters.items() if one.is_required
    }
    optional = {
        name: _value(world, one, name) for name, one in condition.parameters.items() if not one.is_required
    }
    values = st.fixed_dictionaries(required, optional=optional)
    return values.map(
        lambda given: {"is": condition.code, "with": given} if given else {"is": condition.code}
    )


def _value(world: World, parameter: Parameter, name: str) -> st.SearchStrategy[Any]:
    if isinstance(parameter, Whole):
        fitting = _DAYS.filter(lambda n: parameter.least <= n <= parameter.most)
        return (
            fitting
            if name == "days"
            else st.sampled_from([1, 2, 20, 50]).filter(lambda n: n >= parameter.least)
        )
    if isinstance(parameter, Bounds):
        numbers = _NUMBERS[parameter.is_money].filter(lambda n: n <= parameter.most)
        pair = st.tuples(numbers, numbers).map(sorted)
        return st.one_of(
            numbers.map(lambda n: {"at_least": n}),
            numbers.map(lambda n: {"at_most": n}),
            pair.map(lambda both: {"at_least": both[0], "at_most": both[1]}),
        )
    if isinstance(parameter, Window):
        return _window(parameter)
    if isinstance(parameter, Choice):
        return st.sampled_from([key for key, _label in parameter.options])
    return _some(_keys(world, parameter, name))


def _window(parameter: Window) -> st.SearchStrategy[Any]:
    counted = [
        _DAYS.filter(lambda n: parameter.is_ahead or n >= 1).map(lambda n, way=way: {way: n})  # type: ignore[misc]
        for way in parameter.ways
    ]
    days = st.sampled_from([-40, -20, -3, 0, 5]).map(
        lambda n: (DAY.fromordinal(DAY.toordinal() + n)).isoformat()
    )
    pair = st.tuples(days, days).map(sorted).map(lambda both: {"from": both[0], "until": both[1]})
    ends = [] if parameter.begins else [days.map(lambda day: {"until": day})]
    return st.one_of(*counted, days.map(lambda day: {"from": day}), *ends, pair)


def _keys(world: World, parameter: Parameter, name: str) -> list[Any]:
    if isinstance(parameter, Choices):
        return [key for key, _label in parameter.options]
    if isinstance(parameter, Texts):
        return {
            "provinces": ["广东省", "浙江省"],
            "cities": ["广州市", "杭州市"],
            "channels": ["store", "online"],
            "subjects": ["A1", "pages/index", "大衣", "double11"],
        }[name]
    assert isinstance(parameter, Picks)
    if name == "tiers":
        return world.tiers
    fixed: dict[str, list[Any]] = {
        "tags": world.tags, "guides": ["T001", "T004", "T009"], "stores": ["T01", "T02"], "dealers": ["D01"],
        "regions": [world.cast.root.id, world.cast.east.id, world.cast.south.id], "categories": list(CATEGORIES),
        "products": list(PRODUCTS), "groups": list(range(8)), "templates": world.series, "campaigns": world.campaigns,
        "segments": [world.listed, *world.living],
    }  # fmt: skip
    return fixed[name]


def _some(keys: list[Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.sampled_from(keys), min_size=1, max_size=min(3, len(keys)), unique=True)
