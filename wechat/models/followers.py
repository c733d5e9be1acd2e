"""Tags that an official account puts on its followers, as WeChat has them, and passes over all of them."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from wechat.models.account import Account


class FollowerTagQuerySet(LockingQuerySet["FollowerTag"]):
    def live(self) -> Self:
        return self.filter(gone_at=None)


class FollowerTag(models.Model):
    """One tag of an account, mirrored from WeChat; one that WeChat has no more is marked, for what still names it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("账号"))
    wechat_tag_id = models.BigIntegerField(_("微信标签编号"))
    name = models.CharField(_("标签名"), max_length=60)
    follower_count = models.PositiveIntegerField(_("粉丝数"), default=0)
    synced_at = models.DateTimeField(_("同步时间"))
    gone_at = models.DateTimeField(_("消失时间"), null=True, blank=True)
    # The list of who carries it: when it was last read to its end, and how far a reading has come.
    listed_at = models.DateTimeField(_("名单同步时间"), null=True)
    list_started_at = models.DateTimeField(null=True)
    list_next = models.CharField(max_length=64, blank=True)
    lease_holder = models.CharField(max_length=32, blank=True)
    leased_until = models.DateTimeField(null=True)
    claim_count = models.PositiveIntegerField(default=0)

    objects = FollowerTagQuerySet.as_manager()

    class Meta:
        verbose_name = _("粉丝标签")
        verbose_name_plural = _("粉丝标签")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "wechat_tag_id"], name="followertag_one_per_account_and_wechat_id"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TaggingState(models.TextChoices):
    """queued → settled, or → failed (WeChat refuses it) → queued, a day later or by a person. A new wish: → queued."""

    SETTLED = "settled", _("一致")
    QUEUED = "queued", _("待同步")
    FAILED = "failed", _("微信拒绝")


class FollowerTagging(models.Model):
    """A tag on one follower: whether WeChat has it there, as far as we know, and whether we want it there. Without a wish
    (NULL) it was put there in WeChat's console, or by nobody we know, and stays."""

    tag = models.ForeignKey(
        FollowerTag, on_delete=models.CASCADE, related_name="+", verbose_name=_("标签"), db_index=False
    )
    openid = models.CharField(max_length=64)
    is_there = models.BooleanField(_("微信里已打上"), default=False)
    wanted = models.BooleanField(_("应当打上"), null=True)
    state = models.CharField(_("状态"), max_length=8, choices=TaggingState, default=TaggingState.SETTLED)
    not_before = models.DateTimeField(_("最早同步"))
    attempt_count = models.PositiveSmallIntegerField(_("尝试次数"), default=0)
    code = models.CharField(_("原因"), max_length=60, blank=True)
    errcode = models.IntegerField(_("微信返回码"), null=True)
    # When `is_there` was last learnt or made, and the reading of the list that named her last.
    changed_at = models.DateTimeField(_("最近变化"))
    seen_at = models.DateTimeField(null=True)
    # Its person was erased: the row lives until WeChat has taken the tag off, or refuses to, or a week has passed.
    forgotten_at = models.DateTimeField(null=True, editable=False)
    lease_holder = models.CharField(max_length=32, blank=True)
    leased_until = models.DateTimeField(null=True)

    objects = LockingQuerySet["FollowerTagging"].as_manager()

    class Meta:
        verbose_name = _("粉丝身上的标签")
        verbose_name_plural = _("粉丝身上的标签")
        constraints = [
            models.UniqueConstraint(fields=["tag", "openid"], name="followertagging_one_per_tag_and_openid"),
            models.CheckConstraint(
                condition=~models.Q(state="queued") | models.Q(wanted__isnull=False),
                name="followertagging_queued_is_wanted",
            ),
        ]
        indexes = [
            # Used by the tagging queue.
            models.Index(
                fields=["tag", "wanted", "not_before", "id"],
                name="followertagging_due",
                condition=models.Q(state="queued"),
            ),
            # Used by the numbers of a tag's page.
            models.Index(
                fields=["tag", "not_before"],
                name="followertagging_failed",
                condition=models.Q(state="failed"),
            ),
            # Used when a person unfollows, is shown or erased.
            models.Index(fields=["openid"], name="followertagging_of_follower"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ForgottenFollower(models.Model):
    """Somebody was erased and follows on: the list of the account still names her, and we must not. Only a digest of her
    openid is kept, which nobody can turn back, until she acts anew or unfollows."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("账号"))
    digest = models.BinaryField(max_length=32)
    forgotten_at = models.DateTimeField(_("注销时间"))

    objects = models.Manager["ForgottenFollower"]()

    class Meta:
        verbose_name = _("已注销的粉丝")
        verbose_name_plural = _("已注销的粉丝")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "digest"], name="forgottenfollower_one_per_account_and_digest"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class SyncState(models.TextChoices):
    """running ⇄ paused; running → failed → running (by a person); running → finished; any open one → stopped."""

    RUNNING = "running", _("同步中")
    PAUSED = "paused", _("已暂停")
    FAILED = "failed", _("出错停下")
    FINISHED = "finished", _("已完成")
    STOPPED = "stopped", _("已停止")


class SyncPhase(models.TextChoices):
    """listing → checking → identifying."""

    LISTING = "listing", _("读取粉丝名单")
    CHECKING = "checking", _("核对名单外的粉丝")
    IDENTIFYING = "identifying", _("查 unionid")


class FollowerSync(models.Model):
    """One pass over all followers of an account: where it stands, what it found, who works on it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("账号"))
    state = models.CharField(_("状态"), max_length=10, choices=SyncState, default=SyncState.RUNNING)
    phase = models.CharField(_("步骤"), max_length=12, choices=SyncPhase, default=SyncPhase.LISTING)
    # Where WeChat's list is read on, and our own row up to which absent followers were asked about.
    next_openid = models.CharField(max_length=64, blank=True)
    check_cursor = models.BigIntegerField(default=0)
    total_count = models.PositiveIntegerField(_("微信报告的粉丝数"), default=0)
    seen_count = models.PositiveIntegerField(_("已读粉丝"), default=0)
    new_count = models.PositiveIntegerField(_("新增粉丝"), default=0)
    lost_count = models.PositiveIntegerField(_("发现已取关"), default=0)
    identified_count = models.PositiveIntegerField(_("查过 unionid"), default=0)
    request_count = models.PositiveIntegerField(_("用了多少次接口"), default=0)
    restart_count = models.PositiveSmallIntegerField(default=0)
    # Lookups of the day, against the budget; the list itself is read whatever they cost.
    lookups_on = models.DateField(null=True)
    lookup_count = models.PositiveIntegerField(default=0)
    # After trouble, or a spent budget: not before this.
    resume_at = models.DateTimeField(_("下次继续"), null=True)
    trouble_count = models.PositiveSmallIntegerField(default=0)
    trouble_code = models.CharField(max_length=60, blank=True)
    trouble_errcode = models.IntegerField(null=True)
    lease_holder = models.CharField(max_length=32, blank=True)
    leased_until = models.DateTimeField(null=True)
    claim_count = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(_("开始时间"))
    # The present step, for its rate.
    phase_started_at = models.DateTimeField()
    moved_at = models.DateTimeField(_("最近进展"))
    ended_at = models.DateTimeField(_("结束时间"), null=True)

    objects = LockingQuerySet["FollowerSync"].as_manager()

    class Meta:
        verbose_name = _("粉丝同步")
        verbose_name_plural = _("粉丝同步")
        constraints = [
            # Two passes at once would take each other's absent followers for lost.
            models.UniqueConstraint(
                fields=["account"],
                name="followersync_one_open_per_account",
                condition=models.Q(ended_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
