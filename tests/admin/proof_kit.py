"""A campaign that is counted, for the pages of the admin."""

from tests.campaigns.outcome_kit import make_run, put_in, work
from tests.cast import Cast


def fill_proof(cast: Cast) -> None:
    """小美 is in a run, 小丽 in its control group."""
    run = make_run()
    put_in(run, [cast.xiaomei.id], store_id=cast.store.id, guide_id=cast.lina.id)
    put_in(run, [cast.xiaoli.id], letter="", store_id=cast.store.id)
    work()
