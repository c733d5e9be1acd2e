"""What `sales` does when something was told. All may be delivered twice."""

from sales import services
from sales.events import MonthWasClosed


def on_month_was_closed(event: MonthWasClosed) -> None:
    """The boards of the month, and of what it completes, are frozen."""
    services.freeze_boards(close_id=event.close_id)
