"""Who does it, and why something did not happen."""

from typing import Final

from core.actor import Actor

LAUNCHER: Final = Actor.system("launch_campaigns")
RELEASER: Final = Actor.system("release_campaigns")

# Why a campaign stands still or ended by itself.
TOO_SLOW: Final = "segment_too_slow"
LATE: Final = "late"
# Why a member got nothing, besides what acts say.
MEMBER_GONE: Final = "member_gone"
