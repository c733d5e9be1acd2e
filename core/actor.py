"""Who did it. Every service takes an `actor`; the audit row and the history rows keep it."""

import dataclasses
from typing import Literal

ActorKind = Literal["system", "staff", "guide", "member", "wechat", "client"]


@dataclasses.dataclass(frozen=True, slots=True)
class Actor:
    """One doer: its kind, the row id where there is one, and a short label for history pages."""

    kind: ActorKind
    id: int | None = None
    label: str = ""

    @classmethod
    def system(cls, job: str) -> "Actor":
        """A scheduled job or a handler; `job` says which."""
        return cls("system", None, job)

    @classmethod
    def staff(cls, staff_id: int, label: str) -> "Actor":
        return cls("staff", staff_id, label)

    @classmethod
    def guide(cls, guide_id: int, label: str) -> "Actor":
        return cls("guide", guide_id, label)

    @classmethod
    def member(cls, member_id: int) -> "Actor":
        return cls("member", member_id)

    @classmethod
    def client(cls, client_id: int, name: str) -> "Actor":
        """A till or a partner's system, by its key."""
        return cls("client", client_id, name)

    @classmethod
    def wechat(cls) -> "Actor":
        """What a person did inside WeChat, told to us by a push."""
        return cls("wechat")
