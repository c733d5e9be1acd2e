"""Writes of `sales`."""

from sales.services.care import care_for_returns, care_for_sales, work_purchase_care
from sales.services.catalog import upsert_categories, upsert_products
from sales.services.closing import close_month, reopen_month
from sales.services.commission import (
    begin_discard,
    begin_reopen,
    close_commission,
    prove_commission,
)
from sales.services.commission_preparing import begin_commission
from sales.services.commission_rules import write_commission_rule
from sales.services.commission_work import (
    discard_commission,
    prepare_commission,
    reopen_commission,
    work_commission,
    work_commissions,
)
from sales.services.facts import (
    catch_up_facts,
    reconcile_facts,
    reconcile_persons,
    record_fact,
    reverse_fact,
)
from sales.services.folding import fold_totals, keep_totals
from sales.services.freezing import freeze_boards, freeze_closed_boards
from sales.services.held import discard_document, restore_document
from sales.services.import_jobs import (
    forget_intake,
    map_intake,
    pause_intake,
    prune_intakes,
    resume_intake,
    start_intake,
    stop_intake,
    upload_intake,
    work_intake,
    work_intakes,
)
from sales.services.intake import (
    record_documents,
    record_return,
    record_sale,
    retry_documents,
    retry_held_documents,
)
from sales.services.jobs import (
    start_retry,
    start_trial,
    stop_desk_job,
    work_desk_job,
    work_desk_jobs,
)
from sales.services.mending import (
    accept_content,
    explain_code,
    forget_alias,
    forget_member_alias,
    keep_booked,
    name_member,
    restore_alias,
)
from sales.services.metrics import fold_touched_members
from sales.services.metrics_runs import rebuild_member_metrics, work_metrics_runs
from sales.services.naming import change_category, change_product, import_products
from sales.services.nine import prove_nine, work_nine
from sales.services.places import sync_places
from sales.services.proof import prove_totals
from sales.services.reattribution import preview_reattribution, reattribute_sale
from sales.services.reviews import answer_review, work_reviews
from sales.services.rfm_cuts import change_rfm_rules, usable_rules
from sales.services.ruling import change_rule, create_rule, move_rule, switch_rule
from sales.services.sizes import fold_board_sizes, recount_sizes
from sales.services.targets import (
    decide_effective,
    plan_split,
    release_targets,
    save_split,
    set_targets,
)

__all__ = [
    "accept_content",
    "answer_review",
    "begin_commission",
    "begin_discard",
    "begin_reopen",
    "care_for_returns",
    "care_for_sales",
    "catch_up_facts",
    "change_category",
    "change_product",
    "change_rfm_rules",
    "change_rule",
    "close_commission",
    "close_month",
    "create_rule",
    "decide_effective",
    "discard_commission",
    "discard_document",
    "explain_code",
    "fold_board_sizes",
    "fold_totals",
    "fold_touched_members",
    "forget_alias",
    "forget_intake",
    "forget_member_alias",
    "freeze_boards",
    "freeze_closed_boards",
    "import_products",
    "keep_booked",
    "keep_totals",
    "map_intake",
    "move_rule",
    "name_member",
    "pause_intake",
    "plan_split",
    "prepare_commission",
    "preview_reattribution",
    "prove_commission",
    "prove_nine",
    "prove_totals",
    "prune_intakes",
    "reattribute_sale",
    "rebuild_member_metrics",
    "reconcile_facts",
    "reconcile_persons",
    "record_documents",
    "record_fact",
    "record_return",
    "record_sale",
    "recount_sizes",
    "release_targets",
    "reopen_commission",
    "reopen_month",
    "restore_alias",
    "restore_document",
    "resume_intake",
    "retry_documents",
    "retry_held_documents",
    "reverse_fact",
    "save_split",
    "set_targets",
    "start_intake",
    "start_retry",
    "start_trial",
    "stop_desk_job",
    "stop_intake",
    "switch_rule",
    "sync_places",
    "upload_intake",
    "upsert_categories",
    "upsert_products",
    "usable_rules",
    "work_commission",
    "work_commissions",
    "work_desk_job",
    "work_desk_jobs",
    "work_intake",
    "work_intakes",
    "work_metrics_runs",
    "work_nine",
    "work_purchase_care",
    "work_reviews",
    "write_commission_rule",
]
