"""Members are told whose they are now, when that changed and they did not do it themselves this moment.

Staff correct themselves: the message waits some minutes, and is taken back when the binding ends before. Whom she knows
as her guide is who her last binding was with that lasted longer, or that she made herself, or that was her first.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from django.utils.translation import gettext as _

from guides.contracts import GuideCard, MemberText
from guides.models import Binding, BindingSource
from guides.selectors.people import list_guide_cards
from guides.services.member_messages import minute_words, take_back_news, tell_members
from guides.services.words import place_of

SETTLED_AFTER: Final = dt.timedelta(minutes=5)
# She scanned or chose and is answered on the spot; or nothing happened to her.
_HER_OWN: Final = frozenset(
    {BindingSource.SCAN, BindingSource.STORE_SCAN, BindingSource.MINI_PROGRAM, BindingSource.MEMBER}
)
_SILENT: Final = _HER_OWN | {BindingSource.MERGE, BindingSource.IMPORT}


def tell_of_new_guides(*, bindings: Sequence[Binding], at: dt.datetime) -> int:
    """Whoever of these new bindings' members has another guide than the one she knows is told, once for the binding; how
    many. A few statements for all of them."""
    loud = [binding for binding in bindings if binding.source not in _SILENT]
    known = _known_guides(loud)
    changed = [
        binding
        for binding in loud
        if binding.member_id in known and known[binding.member_id] != binding.guide_id
    ]
    guides = list_guide_cards({binding.guide_id for binding in changed})
    told = [_news(binding, guides[binding.guide_id], at) for binding in changed]
    return tell_members(told=told, at=at)


def forget_new_guides(*, bindings: Iterable[Binding], at: dt.datetime) -> int:
    """Who was to be told of these bindings, which end now, is not; how many."""
    brief = [
        binding for binding in bindings if not _is_settled(binding, at) and binding.source not in _SILENT
    ]
    return take_back_news(reason_keys=[_key(binding) for binding in brief], at=at)


def _known_guides(bindings: Sequence[Binding]) -> dict[int, int]:
    """Whom each of these members knows as her guide; who never had one is missing."""
    new = {binding.pk for binding in bindings}
    earlier: dict[int, list[Binding]] = defaultdict(list)
    rows = Binding.objects.filter(member_id__in={binding.member_id for binding in bindings})
    for row in rows.exclude(pk__in=new).order_by("bound_at", "pk"):
        earlier[row.member_id].append(row)
    known = {}
    for member_id, history in earlier.items():
        lasting = [row for row in history[1:] if row.ended_at is None or _is_known(row, row.ended_at)]
        known[member_id] = (lasting or history)[-1 if lasting else 0].guide_id
    return known


def _is_known(binding: Binding, ended_at: dt.datetime) -> bool:
    return binding.source in _HER_OWN or _is_settled(binding, ended_at)


def _is_settled(binding: Binding, at: dt.datetime) -> bool:
    return at - binding.bound_at >= SETTLED_AFTER


def _key(binding: Binding) -> str:
    return f"guide-changed:{binding.pk}"


def _news(binding: Binding, guide: GuideCard, at: dt.datetime) -> MemberText:
    text = _("您的专属导购换成了%(name)s（%(place)s），以后由她为您服务，有需要随时在这里找我们。") % {
        "name": guide.name,
        "place": place_of(guide),
    }
    return MemberText(
        member_id=binding.member_id,
        topic="guide_changed",
        reason_key=_key(binding),
        title=_("专属导购变更"),
        text=text,
        values={"guide": guide.name, "store": guide.store.name, "time": minute_words(at=binding.bound_at)},
        not_before=at + SETTLED_AFTER,
    )
