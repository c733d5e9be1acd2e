"""A journey with every kind of act, and what must be true of it in the end."""

from campaigns.services import journeys
from guides.models import Guide
from tests.campaigns import every_act


def make(count: int) -> None:
    """So many members of the first guide stand at the first act."""
    every_act.make(count, Guide.objects.order_by("pk").values_list("pk", flat=True)[0])


def check() -> None:
    """Nothing lost, nothing doubled, and the numbers are those of the rows."""
    every_act.assert_each_once()
    journeys.fold_journey_counts()
    every_act.assert_counted()
