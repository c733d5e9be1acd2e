"""How many calls a day went out, against what WeChat allows."""

import dataclasses
import datetime as dt
from typing import Final

from django.db.models import Aggregate, Count, FloatField, Q

from wechat.models import Account, OutboundCall

# Official page "API call limits", for a new account; they rise with followers, the console has the real ones.
DAILY_LIMITS: Final = {
    "/cgi-bin/stable_token": 500_000,
    "/cgi-bin/token": 2_000,
    "/cgi-bin/menu/create": 1_000,
    "/cgi-bin/menu/get": 10_000,
    "/cgi-bin/menu/delete": 1_000,
    "/cgi-bin/menu/addconditional": 2_000,
    "/cgi-bin/menu/delconditional": 2_000,
    "/cgi-bin/menu/trymatch": 20_000,
    "/cgi-bin/media/upload": 100_000,
    "/cgi-bin/media/get": 200_000,
    "/cgi-bin/message/custom/send": 500_000,
    "/cgi-bin/message/template/send": 100_000,
    "/cgi-bin/message/subscribe/send": 10_000_000,
    "/cgi-bin/message/mass/send": 100,
    "/cgi-bin/message/mass/sendall": 100,
    "/cgi-bin/message/mass/preview": 100,
    "/cgi-bin/qrcode/create": 100_000,
    "/cgi-bin/user/get": 500,
    "/cgi-bin/user/info": 5_000_000,
    "/cgi-bin/user/info/batchget": 5_000_000,
    "/cgi-bin/user/info/updateremark": 10_000,
}


@dataclasses.dataclass(frozen=True, slots=True)
class QuotaLine:
    """One account's calls of one kind on one day. `refused_count`: WeChat said no; `failed_count`: no
    answer."""

    account_id: int
    account_name: str
    path: str
    call_count: int
    refused_count: int
    failed_count: int
    median_ms: float
    p95_ms: float
    daily_limit: int | None

    @property
    def used_bp(self) -> int | None:
        """The share of the daily limit, in basis points; None where the limit is not known."""
        return None if self.daily_limit is None else self.call_count * 10_000 // self.daily_limit


class _Percentile(Aggregate):
    template = "percentile_cont(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


def count_calls_by_day(day: dt.date) -> tuple[QuotaLine, ...]:
    """The calls of one Shanghai day by account and path, the most used first."""
    rows = (
        OutboundCall.objects.filter(called_on=day)
        .values("account_id", "path")
        .annotate(
            calls=Count("pk"),
            refused=Count("pk", filter=Q(outcome="refused")),
            fine=Count("pk", filter=Q(outcome="ok")),
            median=_Percentile("latency_ms", share="0.5"),
            p95=_Percentile("latency_ms", share="0.95"),
        )
        .order_by("-calls", "account_id", "path")
    )
    names = dict(Account.objects.values_list("pk", "name"))
    return tuple(
        QuotaLine(
            account_id=row["account_id"],
            account_name=names.get(row["account_id"], ""),
            path=row["path"],
            call_count=row["calls"],
            refused_count=row["refused"],
            failed_count=row["calls"] - row["refused"] - row["fine"],
            median_ms=row["median"],
            p95_ms=row["p95"],
            daily_limit=DAILY_LIMITS.get(row["path"]),
        )
        for row in rows
    )
