"""Something like a coupon: it belongs to a member, and whoever writes it locks nothing."""

from django.db import models


class LikeACoupon(models.Model):
    """One thing of one member, given to her by another perhaps."""

    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    giver = models.ForeignKey("members.Member", on_delete=models.PROTECT, null=True, related_name="+")
    word = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.word
