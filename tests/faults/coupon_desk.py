"""What a clerk does with coupons."""

import os
import signal
from typing import Any

from coupons import services
from coupons.services import bulk
from tests.coupons import kit


def make(*, members: int, **batch: Any) -> dict[str, Any]:
    """So many members and an open batch."""
    return {"members": kit.make_members(members), "batch": kit.make_batch(**batch)}


def claim(*, batch: int, member: int, key: str, dies: bool = False) -> int:
    """Her coupon; `dies` ends the process when it is committed and nobody was told."""
    issued = kit.claim(batch, member, key)
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)
    return issued.id


def start_job(*, batch: int, members: list[int], key: str, size: int) -> int:
    """A bulk issue in slices of this size, frozen and waiting."""
    bulk.SLICE = size  # type: ignore[misc]
    return services.start_issue_job(batch_id=batch, member_ids=members, key=key, actor=kit.BOSS).job_id


def run_job(*, job: int) -> dict[str, Any]:
    """What a worker does with it."""
    progress = services.run_issue_job(job_id=job, actor=kit.BOSS)
    return {"state": progress.state, "issued": progress.issued_count, "refused": progress.refused}


def check(*, batch: int) -> None:
    """Counters are what the rows say."""
    kit.check_counters(batch)
