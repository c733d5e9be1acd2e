"""Mass messages in words: how they stand, how many they reach, and what of the month's four is used."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.html import strip_tags
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.contracts import (
    COPYRIGHT_WORDS,
    MASS_WORDS,
    REACH_WORDS,
    REJECTIONS,
    MassReach,
    MassUse,
)
from campaigns.models import MassAudienceKind, MassKind, MassMessage, MassState
from core.admin import thousands, when
from coupons.services import line_words
from wechat.services import mass, quota, verdicts

COLOURS: Final = {
    "draft": "info",
    "confirmed": "info",
    "sending": "warning",
    "sent": "success",
    "finished": "success",
    "rejected": "danger",
    "failed": "danger",
    "uncertain": "danger",
    "dropped": "",
}
_SHOWN_LINES: Final = 12
_STANDING: Final = {
    MassState.SENDING: _("微信还没有说清有没有收下，每分钟用同一个编号再问一次，不会重复发送"),
    MassState.SENT: _("微信正在发，结果几分钟后显示在这里"),
    MassState.UNCERTAIN: _("不知道微信有没有收下。系统不会自己再发；可以再问一次，或到微信后台看"),
    MassState.FAILED: _("微信没有收下，谁也没有收到。撤回修改后可以重新确认"),
    MassState.REJECTED: _("微信收下后没有发出，谁也没有收到"),
}


def audience_words(row: MassMessage) -> str:
    if row.audience == MassAudienceKind.TAG:
        return _now("标签「%(tag)s」") % {"tag": row.tag_name}
    if row.audience == MassAudienceKind.LIST:
        return _now("名单「%(name)s」") % {"name": row.list_name or f"#{row.pk}"}
    return str(row.get_audience_display())


def why_words(row: MassMessage) -> str:
    """Why it stands as it does, with WeChat's own number."""
    rejection = REJECTIONS.get(row.errcode or 0) if row.state == MassState.REJECTED else None
    if rejection is not None:
        words = str(rejection)
    elif row.code in MASS_WORDS:
        words = str(MASS_WORDS[row.code])
    else:
        words = verdicts.words_of(row.code) if row.code else ""
    return _now("%(words)s（%(code)s）") % {"words": words, "code": row.errcode} if row.errcode else words


def standing_words(row: MassMessage) -> str:
    return str(_STANDING.get(MassState(row.state), ""))


def summary_words(row: MassMessage) -> str:
    """The message in a line."""
    if row.kind == MassKind.TEXT:
        text = strip_tags(row.text)
        return text if len(text) <= 30 else f"{text[:30]}…"
    if row.kind == MassKind.ARTICLE:
        return row.article_title or row.article_media_id[:16]
    return str(row.get_kind_display())


def reach_lines(row: MassMessage, reach: MassReach) -> list[str]:
    """How many it will reach, as far as we know, and who is left out."""
    count = {"n": thousands(reach.count)}
    if reach.is_tag_gone:
        return [_now("微信里已经没有这个标签")]
    if row.audience == MassAudienceKind.ALL:
        return [
            _now("全部粉丝，约 %(n)s 位") % count,
            _now("撤回过营销同意的会员也会收到：发给全部粉丝时，微信不能去掉个别人"),
        ]
    if row.audience == MassAudienceKind.TAG:
        return [
            _now("标签「%(tag)s」的粉丝，约 %(n)s 位（%(at)s 的数）")
            % {**count, "tag": row.tag_name, "at": when(reach.as_of)},
            _now("撤回过营销同意的会员也会收到：按标签发送时，微信不能去掉个别人"),
        ]
    lines = [_now("名单里能发的粉丝 %(n)s 位") % count]
    lines += left_out_lines(reach.left_out)
    if reach.spent_count:
        lines.append(
            _now("其中 %(n)s 位本月已经收过 %(most)s 条，微信会过滤掉")
            % {"n": thousands(reach.spent_count), "most": mass.MOST_A_MONTH}
        )
    return lines


def left_out_lines(left_out: Mapping[str, int]) -> list[str]:
    """How many of a list were or will be left out, by reason."""
    return [
        _now("去掉 %(n)s 位：%(why)s") % {"n": thousands(n), "why": REACH_WORDS.get(code, code)}
        for code, n in sorted(left_out.items())
    ]


def use_lines(row: MassMessage, use: MassUse) -> list[str]:
    """What it uses of the month's four, and of today's calls."""
    lines = [
        _now("本月已从这里发出：全部粉丝 %(all)s 条，按标签 %(tag)s 条，按名单 %(list)s 条")
        % {"all": use.all_count, "tag": use.tag_count, "list": use.list_count},
        _now("每位粉丝每个自然月最多收 %(most)s 条（服务号，含微信后台发的），这一条会用掉收到的人各 1 条")
        % {"most": mass.MOST_A_MONTH},
        _now("今天的群发接口已用 %(n)s / %(limit)s 次")
        % {"n": use.calls_today, "limit": quota.DAILY_LIMITS[mass.ALL_PATH]},
    ]
    if row.audience == MassAudienceKind.ALL and use.all_count >= mass.MOST_A_MONTH:
        lines.append(_now("本月发给全部粉丝的次数已经用完，微信多半会拒绝（45028）"))
    return lines


def bad_line_words(row: MassMessage) -> list[str]:
    """Which lines of the list named nobody: by reason, with the first line numbers."""
    by_reason: dict[str, list[int]] = {}
    for line, code in row.bad_lines.items():
        by_reason.setdefault(code, []).append(int(line))
    words = _now("%(why)s：%(n)s 行（第 %(lines)s 行%(more)s）")
    return [
        words
        % {
            "why": line_words(code=code),
            "n": thousands(len(lines)),
            "lines": "、".join(map(str, sorted(lines)[:_SHOWN_LINES])),
            "more": _now("等") if len(lines) > _SHOWN_LINES else "",
        }
        for code, lines in sorted(by_reason.items())
    ]


def result_lines(row: MassMessage) -> list[tuple[Any, str]]:
    """WeChat's numbers; nothing before they are told."""
    if row.total_count is None:
        return []
    named = (
        (_("目标人数"), row.total_count),
        (_("过滤后"), row.filtered_count),
        (_("收到"), row.reached_count),
        (_("失败"), row.error_count),
    )
    lines = [(name, thousands(count or 0)) for name, count in named]
    if row.copyright_state in COPYRIGHT_WORDS:
        lines.append((_("原创校验"), str(COPYRIGHT_WORDS[row.copyright_state])))
    return lines


def part_words(count: int, states: Mapping[str, int]) -> str:
    """In how many parts a long list goes, and how each stands."""
    labels = dict(MassState.choices)
    told = "，".join(f"{labels[state]} {thousands(n)}" for state, n in sorted(states.items()))
    return _now("名单超过 %(most)s 位，分 %(count)s 段发送：%(told)s") % {
        "most": thousands(mass.MOST_OPENIDS),
        "count": count,
        "told": told,
    }
