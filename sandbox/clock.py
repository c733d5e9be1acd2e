"""The one clock by which windows, tokens, codes and timestamps are measured; it can be moved."""

import time


class Clock:
    """Wall time plus an offset. Moving it never moves real waiting times such as push timeouts."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """Return the stand-in's idea of the present, in Unix seconds."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Let that many seconds pass at once (negative goes back)."""
        self.offset += seconds

    def set(self, moment: float) -> None:
        """Make it that moment now; time goes on from there."""
        self.offset = moment - time.time()

    def reset(self) -> None:
        """Return to wall time."""
        self.offset = 0.0
