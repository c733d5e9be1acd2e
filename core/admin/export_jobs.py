"""Large lists become files in the background: asked for, built by a worker row by row, fetched by who asked, deleted.

A job is leased: a worker that dies or stands still is found by the next run, and what it writes later is thrown away.
"""

import datetime as dt
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.options import IncorrectLookupParameters
from django.db import transaction
from django.db.models import F, Q
from django.http import HttpRequest, QueryDict

from core import clock
from core.admin.exports import CHUNK, Exports, Rows, list_sheet
from core.codes import new_public_id
from core.models import ExportJob, ExportState
from core.workbooks import write_workbook

LEASE: Final = dt.timedelta(seconds=60)
# Tries after which a list that kills its worker is given up.
MOST_TRIES: Final = 3


class LostLease(Exception):
    """Somebody else works at the job now."""


def build_exports() -> int:
    """Files that were asked for and that nobody works at are built; how many."""
    done = 0
    while (job := take_export()) is not None:
        try:
            build_export(job)
        except LostLease:
            continue
        done += 1
    return done


def prune_exports() -> int:
    """Files that are over are deleted; how many."""
    count = 0
    for job in ExportJob.objects.filter(state=ExportState.DONE, expires_at__lte=clock.now()):
        path_of(job.stored_as).unlink(missing_ok=True)
        count += ExportJob.objects.filter(pk=job.pk).update(state=ExportState.OVER, stored_as="")
    return count


def take_export() -> ExportJob | None:
    """A job that nobody works at, under a fresh lease; None when there is none."""
    now = clock.now()
    given_up = ExportJob.objects.filter(state=ExportState.WAITING, try_count__gte=MOST_TRIES)
    for job in given_up.filter(leased_until__lte=now):
        _end(job, "broken")
    with transaction.atomic():
        free = ExportJob.objects.filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now))
        rows = free.filter(state=ExportState.WAITING).claim(1)
        if not rows:
            return None
        job = rows[0]
        job.lease, job.leased_until, job.try_count = new_public_id(), now + LEASE, job.try_count + 1
        job.save(update_fields=["lease", "leased_until", "try_count"])
    return job


def build_export(job: ExportJob) -> None:
    """The list as who asked would see it now, with the rights that are left. Raises LostLease when somebody else
    works at it by now; nothing is left behind then."""
    request = _request_of(job)
    page = page_of(job)
    if page is None or not request.user.is_active or not page.has_export_permission(request):
        _end(job, "no_right")
        return
    try:
        rows = page.export_rows(request)
    except IncorrectLookupParameters:
        _end(job, "bad_filter")
        return
    root = Path(settings.EXPORT_ROOT)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=root, prefix=".part-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            sheet = list_sheet(page, request, _counted(job, rows))
            write_workbook(stream=stream, sheets=[sheet])
        name = new_public_id()
        Path(part).replace(root / name)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    now = clock.now()
    with transaction.atomic():
        mine = ExportJob.objects.filter(pk=job.pk, lease=job.lease, state=ExportState.WAITING)
        if not mine.update(
            state=ExportState.DONE,
            stored_as=name,
            row_count=F("done_count"),
            finished_at=now,
            expires_at=now + dt.timedelta(days=settings.EXPORT_KEEP_DAYS),
            leased_until=None,
        ):
            path_of(name).unlink(missing_ok=True)
            raise LostLease
        job.refresh_from_db()
        page.note_export(request, job.row_count)


def _counted(job: ExportJob, rows: Rows) -> Iterator[Any]:
    """The rows, telling now and then how far it is; that also keeps the lease."""
    count = 0
    for row in rows:
        yield row
        count += 1
        if count % CHUNK == 0:
            _tell(job, count)
    _tell(job, count)


def _tell(job: ExportJob, count: int) -> None:
    mine = ExportJob.objects.filter(pk=job.pk, lease=job.lease, state=ExportState.WAITING)
    if not mine.update(done_count=count, leased_until=clock.now() + LEASE):
        raise LostLease


def _end(job: ExportJob, reason: str) -> None:
    ExportJob.objects.filter(pk=job.pk, state=ExportState.WAITING).update(
        state=ExportState.FAILED, fault=reason, finished_at=clock.now(), leased_until=None
    )


def path_of(name: str) -> Path:
    """Where a built file lies: readable for our own user only, served by no address."""
    return Path(settings.EXPORT_ROOT) / name


def page_of(job: ExportJob) -> Exports | None:
    """The list's page; None when there is no such list any more."""
    try:
        page = admin.site.get_model_admin(apps.get_model(job.listed))
    except (LookupError, NotRegistered):
        return None
    return page if isinstance(page, Exports) else None


def _request_of(job: ExportJob) -> HttpRequest:
    """The list's filters as the address had them, asked by the account that asked."""
    request = HttpRequest()
    request.method, request.GET, request.user = "GET", QueryDict(job.query), job.staff
    return request
