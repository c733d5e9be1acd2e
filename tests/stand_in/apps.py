"""The stand-in's entry in INSTALLED_APPS."""

from django.apps import AppConfig


class StandInConfig(AppConfig):
    name = "tests.stand_in"
    label = "stand_in"
    default_auto_field = "django.db.models.BigAutoField"
