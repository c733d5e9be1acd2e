"""The words of `sales` in the audit trail."""

from django.utils.translation import gettext_lazy as _

from core.admin import name_actions, name_details

name_actions(
    {
        "sales.document_discarded": _("作废待处理单据"),
        "sales.month_closed": _("业绩关账"),
        "sales.month_reopened": _("重新打开业绩月份"),
        "sales.reattributed": _("重新归属"),
        "sales.totals_mended": _("修复业绩汇总"),
    }
)
name_details({"month": _("月份"), "count": _("处数"), "examples": _("例子")})
