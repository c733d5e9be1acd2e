"""Wiring only: settings, URLs, the event table, the timetable, the scope table."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
