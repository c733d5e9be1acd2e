"""Pages of lists that are too long to be counted at each visit."""

import json
from typing import Any, Final

from django.core.paginator import Paginator
from django.utils.functional import cached_property

COUNTED_TO: Final = 10_000


class LongListPaginator(Paginator[Any]):
    """Counts up to COUNTED_TO; beyond, the number is PostgreSQL's own estimate, which costs nothing. The last pages may then
    be empty, or not be offered."""

    counted_to = COUNTED_TO

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        rows = rows.order_by()
        counted: int = rows[: self.counted_to + 1].count()
        if counted <= self.counted_to:
            return counted
        [plan] = json.loads(rows.explain(format="json"))
        return max(counted, int(plan["Plan"]["Plan Rows"]))
