"""Journeys of as many steps as there may be: ten chapters one after the other, and a tree whose ways part again and again."""

from collections.abc import Mapping
from typing import Any

from campaigns.contracts.journeys import MOST_STEPS
from tests.campaigns.journey_kit import definition

FOLLOWING = {"all": [{"is": "members.following", "with": {}}]}
GROWN = {"any": [{"is": "members.age", "with": {"years": {"at_least": 18}}}]}


def chapters(acts: Mapping[str, Mapping[str, Any]], count: int = MOST_STEPS // 6) -> dict[str, Any]:
    """In each: a wait, a message, a wait for a purchase, thanks or a branch, and one of these acts; the last turns back once.
    `acts`: values by kind."""
    steps: dict[str, Any] = {}
    gifts = sorted(acts)
    asks = [
        ("branch_rule", {"rule": FOLLOWING}),
        ("branch_event", {"event": "followed"}),
        ("branch_share", {"percent": 40}),
        ("branch_rule", {"rule": GROWN}),
    ]
    for n in range(count):
        after = f"w{n + 1}" if n + 1 < count else ""
        kind, values = asks[n % len(asks)]
        gift = gifts[n % len(gifts)]
        days = {"amount": 3, "unit": "days", "at": "10:00"}
        message = {"title": f"第 {n + 1} 章：新款到店", "text": "{member}，来看看", "topic": "marketing"}
        points = {"points": 10 + n, "reason": "谢谢"}
        steps[f"w{n}"] = {"kind": "wait", "with": days, "next": f"m{n}"}
        steps[f"m{n}"] = {"kind": "reach", "with": message, "next": f"e{n}"}
        steps[f"e{n}"] = {
            "kind": "wait_event",
            "with": {"event": "bought", **days},
            "next": f"t{n}",
            "else": f"b{n}",
        }
        steps[f"t{n}"] = {"kind": "points", "with": points} | ({"next": after} if after else {})
        steps[f"b{n}"] = {"kind": kind, "with": values, "next": f"g{n}"} | ({"else": after} if after else {})
        steps[f"g{n}"] = {"kind": gift, "with": dict(acts[gift])} | ({"next": after or "w0"})
    return definition(steps, exits=[{"on": "unfollowed"}, {"rule": GROWN}], goal={"rule": FOLLOWING})


def tree(depth: int = 5) -> dict[str, Any]:
    """A branch at every fork, a message at every end; as wide as it gets."""
    steps: dict[str, Any] = {}
    for level in range(depth):
        for place in range(2**level):
            name = f"n{level}_{place}"
            if level + 1 == depth:
                message = {"title": f"第 {place + 1} 枝", "text": "您好", "topic": "care"}
                steps[name] = {"kind": "reach", "with": message}
                continue
            ways = [f"n{level + 1}_{2 * place + side}" for side in (0, 1)]
            steps[name] = {
                "kind": "branch_share",
                "with": {"percent": 50},
                "next": ways[0],
                "else": ways[1],
            }
    return definition(steps)
