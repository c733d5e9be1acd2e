"""`manage.py new_key`: prints a fresh key for FIELD_KEYS or INDEX_KEY."""

from typing import Any

from django.core.management.base import BaseCommand

from core.crypto import new_key


class Command(BaseCommand):
    help = "Print a fresh 32-byte key in base64, for FIELD_KEYS (as id:key) or INDEX_KEY."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(new_key())
