"""The condition about what she did in the mini-program."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from members.contracts.behaviours import BEHAVIOUR_LABELS
from members.models import Behaviour
from members.selectors.conditions.base import Condition, Values
from members.selectors.conditions.found import Found, Not, SetTest
from members.selectors.conditions.parameters import (
    FOUND,
    Choice,
    Parameter,
    Texts,
    Whole,
    Window,
    instants_of,
)
from members.selectors.seen import find_subjects

FAMILY: Final = _("小程序行为")


def _subjects(text: str, kind: str) -> list[tuple[str, str]]:
    return [(subject, subject) for subject in find_subjects(kind, text, limit=FOUND)]


class Did(Condition):
    """She did, or did not do, one kind of thing at least so often on these days, with any of these subjects."""

    code, label, family, facts = "members.behaviour", _("小程序行为"), FAMILY, ("behaviours",)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "whether": Choice(label=_("做过没有"), options=(("did", _("做过")), ("did_not", _("没有做过")))),
        "kind": Choice(label=_("行为"), options=tuple(BEHAVIOUR_LABELS.items())),
        "subjects": Texts(
            label=_("哪些商品、页面、活动或搜索词（不选为任何）"),
            find=_subjects,
            beside="kind",
            is_typed=True,
            is_required=False,
        ),
        "at_least": Whole(
            label=_("至少几次"), least=1, most=10_000, unit=_("次"), lead=_("至少"), is_required=False
        ),
        "when": Window(label=_("时间"), is_required=False),
    }

    def found(self, values: Values, day: dt.date) -> Found:
        rows, least = _rows(values, day), values.get("at_least") or 1
        did = SetTest(rows) if least == 1 else SetTest(rows, sums={"n": Count("pk")}, having=Q(n__gte=least))
        return did if values["whether"] == "did" else Not(did)

    def moves_daily(self, values: Values) -> bool:
        """Always: with a month that is dropped goes what stood in it, and nobody is noted for that."""
        return True

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        return _now("%(n)s 次") % {"n": _rows(values, day).filter(member_id=member_id).count()}


def _rows(values: Values, day: dt.date) -> QuerySet[Any]:
    since, until = instants_of(values.get("when"), day)
    wanted = Q(kind=values["kind"], member_id__isnull=False)
    if values.get("subjects"):
        wanted &= Q(subject__in=values["subjects"])
    if since is not None:
        wanted &= Q(happened_at__gte=since)
    if until is not None:
        wanted &= Q(happened_at__lt=until)
    return Behaviour.objects.filter(wanted)
