"""Where each of a group goes from a step: acts are done, conditions asked, ends looked for, all for the group at once."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from campaigns.contracts.acts import ActOutcome, ActTarget
from campaigns.contracts.segments import Group
from campaigns.errors import ActMemberGone
from campaigns.models import JourneyVersion
from campaigns.selectors.journeys import back_ways, definition_of
from campaigns.selectors.segments import found_of, node_of, select_members
from campaigns.services.acts import lock_targets, perform
from campaigns.services.journeys.entering import whom
from campaigns.services.journeys.rows import Held, Move
from campaigns.services.journeys.steps import arrive, draws
from campaigns.services.journeys.trying import again
from core import clock
from core.actor import Actor

ROUNDS: Final = "rounds"
_RUNNER: Final = Actor.system("journeys")


class Version:
    """What is known of a version, read once for a hand."""

    def __init__(self, row: JourneyVersion) -> None:
        self.definition = definition_of(row.definition)
        self.seed = row.journey.public_id
        self.backs = back_ways(self.definition)


class Deciding:
    """One step of one version."""

    def __init__(self, version: Version, step: str) -> None:
        self.definition = version.definition
        self._step = version.definition.steps[step]
        self._seed = f"{version.seed}:{step}"
        self._backs = version.backs
        self.is_act = self._step.act is not None

    def lock(self, group: Sequence[Held]) -> set[int]:
        """Members of acts are locked, before their rows: merging and erasing lock in this order too. Those that were."""
        if self._step.act is None:
            return set()
        return set(lock_targets({held.member_id for held in group}).values())

    def decide(self, group: Sequence[Held], at: dt.datetime) -> list[Move]:
        """Where everybody goes. The rows are locked."""
        if self._step.act is None:
            return [self._by_ways(held, way, at) for held, way in self._ways(group, at)]
        moves, left = self._leaving(group, at)
        targets = [ActTarget(held.member_id, f"j:{held.id}:{held.moved_count}", held.values) for held in left]
        outcomes = perform(act=self._step.act, targets=targets, actor=_RUNNER, at=at)
        return moves + [self._by_outcome(held, one, at) for held, one in zip(left, outcomes, strict=True)]

    def _leaving(self, group: Sequence[Held], at: dt.datetime) -> tuple[list[Move], list[Held]]:
        """Whoever meets the goal or an exit by rule, and is told so before anything is done for her."""
        endings = [("achieved", self.definition.goal)] if self.definition.goal else []
        endings += [("exited", ending) for ending in self.definition.exits]
        moves, left = [], list(group)
        for state, ending in endings:
            if ending is None or ending.rule is None or not left:
                continue
            true_of = self._true_of(ending.rule, left, at)
            moves += [
                Move(held, state, held.step, at, state, "rule") for held in left if held.member_id in true_of
            ]
            left = [held for held in left if held.member_id not in true_of]
        return moves, left

    def _ways(self, group: Sequence[Held], at: dt.datetime) -> list[tuple[Held, str]]:
        """Of a step that does nothing for her: `next`, or `else`."""
        kind, values = self._step.kind, self._step.values
        if kind == "branch_rule":
            true_of = self._true_of(node_of(values["rule"]), group, at)
            return [(held, "next" if held.member_id in true_of else "else") for held in group]
        if kind == "branch_event":
            return [(held, "next" if values["event"] in held.heard else "else") for held in group]
        if kind == "branch_share":
            return [
                (
                    held,
                    "next"
                    if draws(percent=values["percent"], seed=self._seed, member_id=held.member_id)
                    else "else",
                )
                for held in group
            ]
        if kind == "wait_event":
            return [(held, "next" if held.is_woken else "else") for held in group]
        return [(held, "next") for held in group]

    def _true_of(self, rule: Group, group: Sequence[Held], at: dt.datetime) -> set[int]:
        ids = {held.member_id for held in group}
        return whom(sql=select_members(found_of(rule, clock.business_day(at)), among=ids)) if ids else set()

    def _by_outcome(self, held: Held, outcome: ActOutcome, at: dt.datetime) -> Move:
        if outcome.state == "later":
            return again(held=held, code=outcome.code, at=at)
        if outcome.code == ActMemberGone.code:
            return Move(held, "exited", held.step, at, "exited", outcome.code)
        way = "next" if outcome.state == "done" else "refused"
        return self._by_ways(held, way, at, outcome.code, outcome.ref)

    def _by_ways(self, held: Held, way: str, at: dt.datetime, code: str = "", ref: str = "") -> Move:
        """To the step that follows this way, or to the end. A refused act without a way of its own goes on."""
        name = self._step.otherwise if way in {"else", "refused"} else self._step.next
        if way == "refused" and not self._step.otherwise:
            name = self._step.next
        if not name:
            return Move(held, "done", held.step, at, way, code, ref)
        rounds = int((held.step, name) in self._backs)
        if held.round_count + rounds > self.definition.most_rounds:
            return Move(held, "done", held.step, at, way, ROUNDS, ref)
        arrival = arrive(step=self.definition.steps[name], at=at)
        return Move(
            held,
            "waiting",
            name,
            arrival.due_at,
            way,
            code,
            ref,
            arrival.waiting_for,
            rounds,
            keeps=arrival.is_now,
        )
