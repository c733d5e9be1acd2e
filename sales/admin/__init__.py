"""Sales in the staff admin, and their words in the audit trail."""

from django.utils.translation import gettext_lazy as _

from core.admin import name_actions, name_details, name_values
from sales.admin import (  # noqa: F401  (each registers its pages)
    aliases,
    boards,
    care,
    catalog,
    closing,
    commission,
    commission_lines,
    commission_rules,
    desk_words,
    held,
    imports,
    jobs,
    ledger,
    member_aliases,
    nine,
    proofs,
    returns,
    reviews,
    rfm,
    rfm_settings,
    rules,
    sales,
    targets,
)
from sales.admin.rfm_words import RULE_WORDS
from sales.models import TargetOrigin

name_actions(
    {
        "sales.categories_told": _("接口登记类目"),
        "sales.member_alias_forgotten": _("取消会员对应"),
        "sales.products_told": _("接口登记商品"),
        "sales.document_discarded": _("作废待处理单据"),
        "sales.metrics_mended": _("修正会员消费指标"),
        "sales.nine_exported": _("导出九宫格会员"),
        "sales.nine_mended": _("修正九宫格"),
        "sales.month_closed": _("业绩关账"),
        "sales.month_reopened": _("重新打开业绩月份"),
        "sales.reattributed": _("重新归属"),
        "sales.commission_begun": _("开始生成提成单"),
        "sales.commission_closed": _("提成关账"),
        "sales.commission_discarded": _("退回提成单"),
        "sales.commission_prepared": _("生成提成单"),
        "sales.commission_reopened": _("重新打开提成月份"),
        "sales.commission_rule_written": _("修改提成规则"),
        "sales.effective_decided": _("修改有效导购标准"),
        "sales.target_split": _("分解业绩目标"),
        "sales.targets_released": _("放开手工定的目标"),
        "sales.targets_set": _("设定业绩目标"),
        "sales.rfm_exported": _("导出 RFM 会员"),
        "sales.rfm_rules_changed": _("修改 RFM 设置"),
        "sales.totals_mended": _("修复业绩汇总"),
    }
)
name_details(
    {
        "month": _("月份"),
        "count": _("处数"),
        "examples": _("例子"),
        "filters": _("条件"),
        "origin": _("来源"),
        "payable_fen": _("应发合计（分）"),
        "is_new": _("新增"),
    }
)
name_values("origin", TargetOrigin.choices, within="sales.")
name_values("fields", RULE_WORDS, within="sales.rfm_rules_changed")
