"""The demo's segments: once, and a history whose days add up."""

import itertools

import pytest

from campaigns.models import Segment, SegmentSize, SegmentTag
from config.demo.segments import seed_segments
from core import clock
from tests.cast import DIRECTOR, Cast


@pytest.mark.django_db
def test_segments_are_seeded_once_and_their_days_add_up(cast: Cast) -> None:
    at = clock.now()
    assert seed_segments(at=at, actor=DIRECTOR) is True
    assert seed_segments(at=at, actor=DIRECTOR) is False
    assert list(Segment.objects.order_by("kind").values_list("kind", flat=True)) == [
        "listed", *["living"] * 6, "snapshot",
    ]  # fmt: skip
    assert not Segment.objects.filter(filled_at=None).exists()
    assert SegmentTag.objects.get().segment.name == "高价值沉睡客"
    for segment in Segment.objects.living():
        days = list(SegmentSize.objects.filter(segment=segment).order_by("day"))
        assert len(days) == 45
        assert days[-1].member_count == segment.member_count
        for before, after in itertools.pairwise(days):
            assert before.member_count + after.entered_count - after.left_count == after.member_count
            assert (after.day - before.day).days == 1
