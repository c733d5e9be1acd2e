"""The desk for files of orders and returns."""

from typing import Any
from urllib.parse import quote

from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import file_errors
from core.actor import Actor
from core.admin import column, name_actions, thousands
from core.admin.import_desk import DeskWords, ImportDesk, TileLine, UploadForm
from core.errors import sentences_in
from members import errors as member_errors
from members.admin.import_options import OpenidOptions
from sales import errors, services
from sales.contracts import IntakeCard
from sales.models import IntakeJob, IntakeKind
from sales.selectors.imports import find_earlier_intake, get_intake_card
from sales.services.import_jobs import INTAKE_LIFE
from sales.services.import_json import JSON_LINES

name_actions(
    {
        "sales.intake_uploaded": _("上传订单文件"),
        "sales.intake_mapped": _("对应列并检查"),
        "sales.intake_started": _("开始导入订单"),
        "sales.intake_paused": _("暂停导入订单"),
        "sales.intake_resumed": _("继续导入订单"),
        "sales.intake_stopped": _("停止导入订单"),
        "sales.intake_forgotten": _("删除订单文件"),
    }
)


class IntakeUploadForm(UploadForm):
    """The file and what it holds."""

    kind = forms.ChoiceField(label=_("内容"), choices=IntakeKind.choices)
    source = forms.CharField(
        label=_("来源系统"),
        max_length=16,
        initial="pos",
        help_text=_("单号属于哪个系统，例如 pos、tmall；同一单号在不同来源里是不同的单据"),
    )
    field_order = ("kind", "source", "file")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].widget.attrs["accept"] += "," + ",".join(JSON_LINES)


class IntakeOptions(OpenidOptions):
    """What a person chooses beside the columns."""

    channel = forms.CharField(
        label=_("渠道"),
        required=False,
        max_length=16,
        help_text=_("没有渠道列的订单都记为这个渠道，例如 store、online"),
    )
    field_order = ("channel", "app_id", "mini_app_id")


@admin.register(IntakeJob)
class IntakeJobAdmin(ImportDesk):
    """Files of orders and returns; what is counted are documents."""

    list_display = (
        "file_name",
        "kind",
        "source",
        "state_label",
        "done_words",
        "bad_words",
        "created_by",
        "uploaded",
    )
    life = INTAKE_LIFE
    failures = sentences_in(file_errors, member_errors, errors)
    upload_form = IntakeUploadForm
    options_form = IntakeOptions
    words = DeskWords(
        title=_("导入订单"),
        choose=_("选一份订单或退货单"),
        about_files=(
            _("CSV（UTF-8 或 GBK）或没有密码的 XLSX，第一行是表头，最大 100 MB"),
            _("也可以是 JSON 行（.jsonl），一行一张单据，字段和开放接口一样，金额用分"),
            _("表格里一行是一个商品，同一单的行挨在一起；金额用元"),
            _("上传后先对应列、再检查，看过数字才会真正入账；同一份文件导两次不会重复"),
        ),
        unwritten=_("检查时不会入账，可以离开这个页面"),
        amount=_("%(done)s / %(total)s 张"),
        pace=_("每秒约 %(rate)s 张，还要%(left)s"),
        start=_("开始导入 %(total)s 张"),
        kept=_("已入账的不受影响，继续时从停下的地方接着来"),
        cleared=_("没有入账的都已清除；改好文件后重新上传"),
        unusable=_("没有一张单据可以导入，请下载有问题的行看看原因，或重新对应列"),
        finished=_("%(done)s 张单据都处理完了"),
        stopped=_("停在第 %(done)s 张，共 %(total)s 张；已入账的保留"),
        ask_stop=_("停止后没有入账的单据会清除，已入账的保留。确定停止吗？"),
        ask_forget=_("原文件会删除，已入账的保留。确定删除吗？"),
    )

    @column(_("已处理单据"))
    def done_words(self, row: Any) -> str:
        return str(super().done_words(row))

    def upload(self, told: dict[str, Any], actor: Actor) -> int:
        file = told["file"]
        return services.upload_intake(
            stream=file, file_name=file.name, kind=told["kind"], source=told["source"], actor=actor
        )

    def card(self, job_id: int) -> IntakeCard:
        return get_intake_card(job_id)

    def earlier(self, job_id: int) -> IntakeCard | None:
        return find_earlier_intake(job_id)

    def subtitle(self, card: IntakeCard) -> str:
        return _now("%(kind)s · 来源 %(source)s") % {"kind": card.kind_label, "source": card.source}

    def more_links(self, card: IntakeCard) -> list[tuple[str, str]]:
        """To the documents that wait, once some of this source do."""
        if card.state == "checked" or not card.counts.held:
            return []
        waiting = f"{reverse('admin:sales_helddocument_changelist')}?source={quote(card.source)}"
        return [(waiting, _now("处理 %(n)s 张待处理单据") % {"n": thousands(card.counts.held)})]

    def checking_words(self, card: IntakeCard) -> str:
        return _now("已读 %(rows)s 行，共 %(n)s 张单据，有问题 %(bad)s 行") % {
            "rows": thousands(card.row_count),
            "n": thousands(card.total_count),
            "bad": thousands(card.bad_count),
        }

    def tiles(self, card: IntakeCard) -> list[TileLine]:
        told = card.expected if card.state == "checked" else card.counts
        return [
            (told.booked, _("入账"), False),
            (told.corrected, _("更正"), False),
            (told.repeated, _("已有，不重复入账"), False),
            (told.superseded, _("已有更新的版本"), False),
            (told.held, _("待人工处理"), True),
            (told.refused, _("不能入账"), True),
            (card.bad_count, _("有问题的行"), True),
        ]
