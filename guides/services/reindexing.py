"""What guides call members, findable under the newest index key."""

from guides.models import GuideRemark
from members import services as member_services
from members.services.reindexing import Reindexed, Report


def reindex_remarks(*, limit_s: float | None = None, report: Report | None = None) -> Reindexed:
    """The search tokens of every remark are those of the first index key; see `members.services.reindex_names`."""
    return member_services.reindex_names(rows=GuideRemark.objects.all(), limit_s=limit_s, report=report)
