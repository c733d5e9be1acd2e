"""Kinds of reply parts that other apps bring: the gateway knows no coupon and no guide.

Each is named in `config/reply_kinds.py`, as holdings of members are, and shows up in the editor, the tester and the
answers by itself.
"""

import abc
import dataclasses
import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from typing import ClassVar

from django.conf import settings
from django.utils.functional import Promise
from django.utils.module_loading import import_string


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """For whom a part is answered, and the push it answers. `request_key` is the same whenever it is asked again."""

    account_id: int
    app_id: str
    openid: str
    inbound_id: int
    target: str
    request_key: str
    at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """The text she gets. `reason_key`, where somebody else may tell her the same under it."""

    text: str
    reason_key: str = ""


class ReplyKind(abc.ABC):
    """One kind of part. Methods run inside the caller's transaction and open no socket."""

    key: ClassVar[str]
    title: ClassVar[str | Promise]
    # What a part of this kind names ("券批次"); empty when it names nothing.
    target_title: ClassVar[str | Promise] = ""
    # Whether a person takes over, so that what she wrote waits for an answer.
    hands_over: ClassVar[bool] = False

    def choices(self) -> Sequence[tuple[str, str]]:
        """What a part may name now: (target, words)."""
        return ()

    def fault(self, target: str) -> str:
        """Why a part cannot name this, in words; empty when it can."""
        return ""

    @abc.abstractmethod
    def preview(self, target: str) -> str:
        """What she would read, for the editor and the tester; changes nothing."""

    @abc.abstractmethod
    def answer(self, asked: Asked) -> Said | None:
        """Do it, and say what came of it; None when she need not hear. Twice with one `request_key` does it once."""


@functools.cache
def _load(table: str) -> dict[str, ReplyKind]:
    paths: Iterable[str] = import_string(table)
    kinds = [import_string(path)() for path in paths]
    return {kind.key: kind for kind in kinds}


def all_kinds() -> tuple[ReplyKind, ...]:
    """Every registered kind, in the order of the table."""
    return tuple(_load(settings.REPLY_KINDS).values())


def find_kind(key: str) -> ReplyKind | None:
    """The registered kind of a part; None for the gateway's own."""
    return _load(settings.REPLY_KINDS).get(key)
