"""The Celery application. `celery -A config worker -B` runs workers with the timetable."""

import os

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("xiaoer")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["config"], related_name="dispatch")
app.autodiscover_tasks(["config"], related_name="housekeeping")


@worker_init.connect
def import_handlers(**kwargs: object) -> None:
    """Before the workers are forked, so that the first greeting does not wait for imports."""
    from django.utils.module_loading import import_string

    from config.event_routes import ROUTES

    for paths in ROUTES.values():
        for path in paths:
            import_string(path)


@app.on_after_finalize.connect
def install_timetable(sender: Celery, **kwargs: object) -> None:
    from config.timetable import TIMETABLE

    sender.conf.beat_schedule = TIMETABLE
