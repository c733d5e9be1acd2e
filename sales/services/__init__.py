"""Writes of `sales`."""

from sales.services.catalog import upsert_categories, upsert_products
from sales.services.closing import close_month, reopen_month
from sales.services.commission import (
    close_commission,
    discard_commission,
    prepare_commission,
    prove_commission,
    reopen_commission,
)
from sales.services.commission_rules import write_commission_rule
from sales.services.folding import fold_totals
from sales.services.freezing import freeze_boards, freeze_closed_boards
from sales.services.held import discard_document
from sales.services.import_jobs import (
    forget_intake,
    map_intake,
    pause_intake,
    prune_intakes,
    resume_intake,
    start_intake,
    stop_intake,
    upload_intake,
)
from sales.services.import_running import work_intake, work_intakes
from sales.services.intake import (
    record_documents,
    record_return,
    record_sale,
    retry_documents,
    retry_held_documents,
)
from sales.services.metrics import fold_touched_members
from sales.services.metrics_runs import rebuild_member_metrics, work_metrics_runs
from sales.services.places import sync_places
from sales.services.proof import prove_totals
from sales.services.reattribution import reattribute_sale
from sales.services.rfm_cuts import change_rfm_rules, usable_rules
from sales.services.targets import (
    decide_effective,
    plan_split,
    release_targets,
    save_split,
    set_targets,
)

__all__ = [
    "change_rfm_rules",
    "close_commission",
    "close_month",
    "decide_effective",
    "discard_commission",
    "discard_document",
    "fold_totals",
    "fold_touched_members",
    "forget_intake",
    "freeze_boards",
    "freeze_closed_boards",
    "map_intake",
    "pause_intake",
    "plan_split",
    "prepare_commission",
    "prove_commission",
    "prove_totals",
    "prune_intakes",
    "reattribute_sale",
    "rebuild_member_metrics",
    "record_documents",
    "record_return",
    "record_sale",
    "release_targets",
    "reopen_commission",
    "reopen_month",
    "resume_intake",
    "retry_documents",
    "retry_held_documents",
    "save_split",
    "set_targets",
    "start_intake",
    "stop_intake",
    "sync_places",
    "upload_intake",
    "upsert_categories",
    "upsert_products",
    "usable_rules",
    "work_intake",
    "work_intakes",
    "work_metrics_runs",
    "write_commission_rule",
]
