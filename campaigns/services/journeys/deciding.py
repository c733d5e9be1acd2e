"""Where each of a group goes from a step: acts are done, conditions asked, ends looked for, all for the group at once."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from campaigns.contracts.acts import ActOutcome, ActTarget
from campaigns.contracts.segments import Group
from campaigns.errors import ActMemberGone
from campaigns.models import JourneyVersion
from campaigns.selectors.journeys import back_ways, definition_of
from campaigns.selectors.segments import found_of, node_of, select_members
from campaigns.services.acts import lock_targets, perform
from campaigns.services.journeys.entering import whom
from campaigns.services.journeys.rows import Held, Turn
from campaigns.services.journeys.steps import arrive, draws
from campaigns.services.journeys.trying import again
from core import clock
from core.actor import Actor

ROUNDS: Final = "rounds"
_RUNNER: Final = Actor.system("journeys")


# Somebody, where she goes, and what came of it.
Decision = tuple[Held, Turn, str]


class Version:
    """What is known of a version, read once for a hand."""

    def __init__(self, row: JourneyVersion) -> None:
        self.id = row.pk
        self.definition = definition_of(row.definition)
        self.seed = row.journey.public_id
        self.backs = back_ways(self.definition)


class Deciding:
    """One step of one version at one instant. Who leaves it the same way shares a turn."""

    def __init__(self, version: Version, step: str, at: dt.datetime) -> None:
        self._version, self._at = version, at
        self._definition = version.definition
        self._step = version.definition.steps[step]
        self._turns: dict[tuple[Any, ...], Turn] = {}
        self._living: Mapping[int, int] = {}
        self.is_act = self._step.act is not None

    def lock(self, member_ids: Collection[int]) -> set[int]:
        """Members of acts are locked, before their rows: merging and erasing lock in this order too. Those that were."""
        if self._step.act is None:
            return set()
        living = lock_targets(member_ids)
        locked = set(living.values())
        self._living = living | {pk: pk for pk in locked}
        return locked

    def decide(self, group: Sequence[Held]) -> list[Decision]:
        """Where everybody goes. The rows are locked, and nothing of them is changed."""
        if self._step.act is None:
            return [(held, self._by_ways(held, way), "") for held, way in self._ways(group)]
        decisions, left = self._leaving(group)
        targets = [ActTarget(held.member_id, f"j:{held.id}:{held.moved_count}", held.values) for held in left]
        outcomes = perform(
            act=self._step.act, targets=targets, actor=_RUNNER, at=self._at, living=self._living
        )
        told = zip(left, outcomes, strict=True)
        return decisions + [(held, self._by_outcome(held, one), one.ref) for held, one in told]

    def _leaving(self, group: Sequence[Held]) -> tuple[list[Decision], list[Held]]:
        """Whoever meets the goal or an exit by rule, and is told so before anything is done for her."""
        goal = self._definition.goal
        endings = [("achieved", goal)] if goal else []
        endings += [("exited", ending) for ending in self._definition.exits]
        decisions: list[Decision] = []
        left = list(group)
        for state, ending in endings:
            if ending is None or ending.rule is None or not left:
                continue
            true_of = self._true_of(ending.rule, left)
            turn = self._ended(state, state, "rule")
            decisions += [(held, turn, "") for held in left if held.member_id in true_of]
            left = [held for held in left if held.member_id not in true_of]
        return decisions, left

    def _ways(self, group: Sequence[Held]) -> list[tuple[Held, str]]:
        """Of a step that does nothing for her: `next`, or `else`."""
        kind, values = self._step.kind, self._step.values
        if kind == "branch_rule":
            true_of = self._true_of(node_of(values["rule"]), group)
            return [(held, "next" if held.member_id in true_of else "else") for held in group]
        if kind == "branch_event":
            return [(held, "next" if values["event"] in held.heard.split(",") else "else") for held in group]
        if kind == "branch_share":
            seed, percent = f"{self._version.seed}:{self._step.name}", values["percent"]
            return [
                (held, "next" if draws(percent=percent, seed=seed, member_id=held.member_id) else "else")
                for held in group
            ]
        if kind == "wait_event":
            return [(held, "next" if held.is_woken else "else") for held in group]
        return [(held, "next") for held in group]

    def _true_of(self, rule: Group, group: Sequence[Held]) -> set[int]:
        ids = {held.member_id for held in group}
        found = found_of(rule, clock.business_day(self._at))
        return whom(sql=select_members(found, among=ids)) if ids else set()

    def _by_outcome(self, held: Held, outcome: ActOutcome) -> Turn:
        if outcome.state == "later":
            return self.again(held, outcome.code)
        if outcome.code == ActMemberGone.code:
            return self._ended("exited", "exited", outcome.code)
        return self._by_ways(held, "next" if outcome.state == "done" else "refused", outcome.code)

    def again(self, held: Held, code: str) -> Turn:
        """She tries the step again, or is parked."""
        key = ("again", code, held.attempt_count)
        if key not in self._turns:
            self._turns[key] = again(held=held, code=code, at=self._at)
        return self._turns[key]

    def _by_ways(self, held: Held, way: str, code: str = "") -> Turn:
        """To the step that follows this way, or to the end. A refused act without a way of its own goes on."""
        name = self._step.otherwise if way in {"else", "refused"} else self._step.next
        if way == "refused" and not self._step.otherwise:
            name = self._step.next
        if not name:
            return self._ended("done", way, code)
        rounds = int((self._step.name, name) in self._version.backs)
        if held.round_count + rounds > self._definition.most_rounds:
            return self._ended("done", way, ROUNDS)
        key = (way, code)
        if key not in self._turns:
            arrival = arrive(step=self._definition.steps[name], at=self._at)
            self._turns[key] = Turn(
                self._version.id,
                self._step.name,
                way,
                "waiting",
                name,
                arrival.due_at,
                code,
                arrival.waiting_for,
                rounds,
                keeps=arrival.is_now,
            )
        return self._turns[key]

    def _ended(self, state: str, way: str, code: str) -> Turn:
        key = (state, way, code)
        if key not in self._turns:
            name = self._step.name
            self._turns[key] = Turn(self._version.id, name, way, state, name, self._at, code)
        return self._turns[key]
