"""Tables of `guides`."""

from guides.models.binding import Binding, BindingPolicy, BindingSource
from guides.models.codes import ChannelCode, ChannelScan, CodeKind, ScanOutcome
from guides.models.organisation import Dealer, Region, StaffScope, Store
from guides.models.people import ActivationCode, Guide, GuideLogin, GuideNotice, GuidePosting, GuideRole, GuideState

__all__ = [
    "ActivationCode",
    "Binding",
    "BindingPolicy",
    "BindingSource",
    "ChannelCode",
    "ChannelScan",
    "CodeKind",
    "Dealer",
    "Guide",
    "GuideLogin",
    "GuideNotice",
    "GuidePosting",
    "GuideRole",
    "GuideState",
    "Region",
    "ScanOutcome",
    "StaffScope",
    "Store",
]
