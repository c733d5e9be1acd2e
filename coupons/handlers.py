"""What `coupons` does when it hears of something."""

from core.actor import Actor
from coupons import services
from coupons.events import IssueJobConfirmed


def on_issue_job_confirmed(event: IssueJobConfirmed) -> None:
    """A bulk issue begins at once; run twice, two workers share its slices."""
    services.run_issue_job(job_id=event.job_id, actor=Actor.system("on_issue_job_confirmed"))
