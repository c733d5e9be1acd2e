"""The desk for files of members."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import file_errors
from core.admin import Tile, name_actions, name_details, name_values, register_tiles, thousands
from core.admin.import_desk import DeskWords, ImportDesk, TileLine
from core.errors import sentences_in
from members import errors, selectors
from members.admin.import_candidates import CandidatePages
from members.admin.import_options import OpenidOptions
from members.contracts import ImportCard
from members.models import CandidateState, ImportJob, TagGroup
from members.services.import_jobs import IMPORT_LIFE

name_actions(
    {
        "members.import_uploaded": _("上传导入文件"),
        "members.import_mapped": _("对应列并检查"),
        "members.import_started": _("开始导入"),
        "members.import_paused": _("暂停导入"),
        "members.import_resumed": _("继续导入"),
        "members.import_stopped": _("停止导入"),
        "members.import_forgotten": _("删除导入文件"),
        "members.import_filled": _("导入补充资料"),
        "members.import_decided": _("确认是否同一人"),
    }
)
name_details({"decision": _("结论")})
name_values("decision", CandidateState.choices)


class MemberOptions(OpenidOptions):
    """What a person chooses beside the columns."""

    newer_wins = forms.BooleanField(
        label=_("以这份文件为准"),
        required=False,
        help_text=_(
            "打开后，姓名、性别、生日、地址和单选标签以文件为准；关闭时只补充空白。手机号永远不会被覆盖"
        ),
    )
    tag_group = forms.CharField(
        label=_("标签放进哪个标签组"),
        required=False,
        max_length=20,
        help_text=_("有标签列时填写；没有这个组就新建，已停用的标签不会打上"),
    )
    field_order = ("newer_wins", "tag_group", "app_id", "mini_app_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = TagGroup.objects.order_by("order", "name")
        self.offered["tag-groups"] = list(groups.values_list("name", flat=True))
        self.fields["tag_group"].widget.attrs["list"] = "tag-groups"


@admin.register(ImportJob)
class ImportJobAdmin(CandidatePages, ImportDesk):
    """Files of members; rows that may be somebody we know wait in a queue of their own."""

    life = IMPORT_LIFE
    failures = sentences_in(errors, file_errors)
    options_form = MemberOptions
    words = DeskWords(
        title=_("导入会员"),
        choose=_("选一份会员名单"),
        about_files=(
            _("CSV（UTF-8 或 GBK）或没有密码的 XLSX，第一行是表头，最大 100 MB、100 万行"),
            _("每行至少有手机号、会员卡号、unionid、openid 中的一个"),
            _("上传后先对应列、再检查，看过数字才会真正写入"),
        ),
        unwritten=_("检查时不会写入任何会员，可以离开这个页面"),
        amount=_("%(done)s / %(total)s 行"),
        pace=_("每秒约 %(rate)s 行，还要%(left)s"),
        start=_("开始导入 %(total)s 行"),
        kept=_("已写入的会员不受影响，继续时从停下的地方接着来"),
        cleared=_("没有写入的行都已清除；改好文件后重新上传"),
        unusable=_("没有一行可以导入，请下载有问题的行看看原因，或重新对应列"),
        finished=_("%(done)s 行都处理完了"),
        stopped=_("停在第 %(done)s 行，共 %(total)s 行；已写入的会员保留"),
        ask_stop=_("停止后没有写入的行会清除，已写入的会员保留。确定停止吗？"),
        ask_forget=_("原文件和待确认的行会删除，已写入的会员保留。确定删除吗？"),
    )

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (*super().get_custom_urls(), *self.candidate_urls())

    def card(self, job_id: int) -> ImportCard:
        return selectors.get_import_card(job_id)

    def earlier(self, job_id: int) -> ImportCard | None:
        return selectors.find_earlier_import(job_id)

    def checking_words(self, card: ImportCard) -> str:
        return _now("已读 %(n)s 行，有问题 %(bad)s 行，每秒约 %(rate)s 行") % {
            "n": thousands(card.total_count),
            "bad": thousands(card.bad_count),
            "rate": f"{card.rate:,.0f}",
        }

    def tiles(self, card: ImportCard) -> list[TileLine]:
        if card.state == "checked":
            told, filled, asked = (
                card.expected,
                _("补充已有会员"),
                (card.expected.candidates, _("要人工确认"), False),
            )
            bad = _("有问题，不导入")
        else:
            told, filled, asked = card.counts, _("补充了资料"), (card.waiting_count, _("等人工确认"), True)
            bad = _("有问题，没有导入")
        return [
            (told.created, _("新会员"), False),
            (told.filled, filled, False),
            (told.unchanged, _("资料没有新增"), False),
            (told.repeated, _("文件里重复的人"), False),
            asked,
            (told.known, _("以前问过的"), False),
            (card.bad_count, bad, True),
        ]

    def more_links(self, card: ImportCard) -> list[tuple[str, str]]:
        if not card.waiting_count:
            return []
        words = _now("确认 %(n)s 行是不是同一人") % {"n": thousands(card.waiting_count)}
        return [(reverse("admin:members_import_candidates", args=[card.id]), words)]


def _import_tiles(request: HttpRequest) -> list[Tile]:
    waiting = selectors.count_waiting()
    if not waiting:
        return []
    url = reverse("admin:members_importjob_changelist")
    return [Tile(title=_("导入待确认"), number=thousands(waiting), url=url, is_alarm=True)]


register_tiles("members.add_importjob", _import_tiles, order=45)
