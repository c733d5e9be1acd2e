from django.apps import AppConfig


class WiringConfig(AppConfig):
    """Installs the event table once all apps are loaded."""

    name = "config"

    def ready(self) -> None:
        from config.dispatch import to_worker
        from config.event_routes import ROUTES
        from core import events

        events.install(ROUTES, to_worker)
