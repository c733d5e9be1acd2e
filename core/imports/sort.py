"""What one sort of import does: the part that every app writes for itself."""

import abc
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from django.db import models
from django.utils.functional import Promise

from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound, Refusal
from core.events import Event
from core.imports.holds import Hold
from core.imports.models import (
    AbstractImportJob,
    AbstractImportMapping,
    AbstractImportProblem,
    ImportJobQuerySet,
)
from core.tables import MOST_BYTES, MOST_ROWS, Table

J = TypeVar("J", bound=AbstractImportJob)
P = TypeVar("P")
Tell = Callable[[int], None]
SHOWN = 24


class ImportSort(abc.ABC, Generic[J, P]):
    """One sort of import: its tables and refusals, how a file of it is read, staged, foretold and settled.

    J is its job, P its plan: a mapping in its checked form.
    """

    name: ClassVar[str]  # members.import: its audit actions and log lines begin with it
    doer: ClassVar[str]  # who acts where no account uploaded the file
    job_model: type[J]
    problem_model: ClassVar[type[AbstractImportProblem]]
    mapping_model: ClassVar[type[AbstractImportMapping]]
    no_such: ClassVar[type[NotFound]]
    not_in_this_state: ClassVar[type[Conflict]]
    mapping_unusable: ClassVar[type[InvalidInput]]
    stuck: ClassVar[type[Refusal]]  # taken up again and again without a step forward
    turn: ClassVar[int]  # key of the advisory lock under which its imports settle one after another
    # What a step may meet beside the database's own conflicts: somebody was in the way, look again.
    again: ClassVar[tuple[type[Exception], ...]] = ()
    most_rows: ClassVar[int] = MOST_ROWS
    most_bytes: ClassVar[int] = MOST_BYTES
    # Columns of the job that tell apart under which headings what was remembered.
    remembered_by: ClassVar[tuple[str, ...]] = ()
    # Columns of the job beside the common counts that a fresh check begins with zero.
    marks: ClassVar[tuple[str, ...]] = ()
    # How a cell is read, by target; raises BadValue.
    readers: ClassVar[Mapping[str, Callable[[str], Any]]]

    def jobs(self) -> ImportJobQuerySet[J]:
        """All its jobs."""
        return ImportJobQuerySet(self.job_model)

    def problems(self, job: J) -> models.QuerySet[Any]:
        """The bad lines of one job."""
        rows: Any = self.problem_model._default_manager.all()
        found: models.QuerySet[Any] = rows.filter(job=job)
        return found

    @abc.abstractmethod
    def queued(self, job_id: int) -> Event:
        """What wakes a worker."""

    @abc.abstractmethod
    def targets(self, job: J) -> Mapping[str, str | Promise]:
        """What a column of this file may mean: target → what people call it, in the order of the desk."""

    @abc.abstractmethod
    def suggest(self, headings: Sequence[str], told: Mapping[str, Any]) -> dict[str, Any]:
        """A mapping for headings never seen; `told` has the columns of `remembered_by`."""

    @abc.abstractmethod
    def plan(self, job: J, mapping: Mapping[str, Any]) -> P:
        """The mapping in its checked form. Raises `mapping_unusable`."""

    @abc.abstractmethod
    def kept(self, plan: P) -> dict[str, Any]:
        """The plan as it is kept with the job and for later files."""

    @abc.abstractmethod
    def reason_words(self, job: J, reason: str) -> str:
        """phone:phone_landline → 手机号：这是座机…"""

    def say(self, target: str, value: Any) -> str:
        """A cell's value for the page on which columns are mapped."""
        return str(value)[:SHOWN]

    @abc.abstractmethod
    def staged(self, job: J) -> models.QuerySet[Any]:
        """What was read and is not settled: it goes when the job stops, fails or is checked afresh."""

    @abc.abstractmethod
    def stage(self, *, job: J, plan: P, hold: Hold, table: Table) -> Iterator[None]:
        """The rest of the file is staged, a chunk at every step; each moves `read_count` and keeps the hold."""

    @abc.abstractmethod
    def foretell(self, *, job: J, plan: P, hold: Hold, tell: Tell) -> Mapping[str, Any]:
        """What the import would do, by the names of its counts, and what else the checked job is to know, by its
        columns: {"expected": {…}, …}. Keeps the hold."""

    @abc.abstractmethod
    def settle(self, *, job: J, plan: P, at: dt.datetime) -> bool:
        """The next of what is staged is written and counted; False when nothing was left.

        Runs inside a transaction that holds the job's row and the turn; a step that somebody was in the way of is
        tried again as a whole.
        """

    def after_step(self, *, has_more: bool) -> None:
        """What follows a step's commit."""

    def before_forgetting(self, job: J, *, actor: Actor, at: dt.datetime) -> None:
        """What else is left of a job that is over, beside staged rows, bad rows and the file."""
