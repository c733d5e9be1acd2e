"""The words of head office's desks in the audit trail."""

from django.utils.translation import gettext_lazy as _

from core.admin import name_actions, name_details

name_actions(
    {
        "sales.document_restored": _("恢复作废的单据"),
        "sales.code_explained": _("对应编号"),
        "sales.code_forgotten": _("取消编号对应"),
        "sales.code_restored": _("恢复编号对应"),
        "sales.member_named": _("指定单据的会员"),
        "sales.content_accepted": _("按新内容更正订单"),
        "sales.booked_kept": _("保留已入账的内容"),
        "sales.retry_started": _("重试待处理单据"),
        "sales.desk_job_stopped": _("停止批量处理"),
        "sales.rule_created": _("新增归属规则"),
        "sales.rule_changed": _("修改归属规则"),
        "sales.rule_moved": _("调整归属规则顺序"),
        "sales.rule_switched_on": _("启用归属规则"),
        "sales.rule_switched_off": _("停用归属规则"),
        "sales.product_changed": _("修改商品"),
        "sales.category_changed": _("修改商品类目"),
        "sales.products_imported": _("导入商品"),
    }
)
name_details(
    {
        "code": _("编号"),
        "is_nobody": _("按散客"),
        "is_up": _("上移"),
    }
)
