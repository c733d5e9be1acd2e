"""Who keeps what about members: one dotted path per part, in the order in which their rows are locked.

Merging, parting, exporting and erasing a member go through every part named here (`members.services.holdings`);
an architecture test fails when a table with a member's key is in none of them.
"""

# The gateway is erased by her openids, so it comes before her identities; her own row is the last.
HOLDINGS: tuple[str, ...] = (
    "guides.services.holdings_gateway.GatewayHoldings",
    "members.services.holdings_privacy.PrivacyHoldings",
    "members.services.holdings_privacy.ProfileHoldings",
)
