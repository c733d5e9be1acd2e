"""Install the ready-made journeys; each is switched on in the admin."""

from typing import Any

from django.core.management.base import BaseCommand

from campaigns.services import journeys
from core.actor import Actor


class Command(BaseCommand):
    help = "装入现成的自动化旅程（全部未启用，在后台逐个启用）"

    def handle(self, *args: Any, **options: Any) -> None:
        names = journeys.install_ready_made(actor=Actor.system("install_journeys"))
        for name in names:
            self.stdout.write(name)
        self.stdout.write(f"装入 {len(names)} 个旅程")
