#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL or REDIS_URL it runs on the embedded engines under var/demo."""

import os
import sys
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    offline = {"collectstatic", "new_key", "makemessages", "compilemessages", "help"}
    is_production = os.environ.get("PRODUCTION", "").lower() in {"1", "true", "yes", "on"}
    if len(sys.argv) > 1 and sys.argv[1] not in offline and not is_production:
        from core import embedded

        embedded.ensure_environment(Path(__file__).resolve().parent / "var" / "demo")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
