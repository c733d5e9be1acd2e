"""The Celery application. `celery -A config worker -B` runs workers with the timetable."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("xiaoer")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["config"], related_name="dispatch")
app.autodiscover_tasks(["config"], related_name="housekeeping")


@app.on_after_finalize.connect
def install_timetable(sender: Celery, **kwargs: object) -> None:
    from config.timetable import TIMETABLE

    sender.conf.beat_schedule = TIMETABLE
