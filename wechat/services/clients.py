"""One hardened client per account."""

from core.errors import NotFound
from wechat.client.gateway import GatewayClient, Journal, TokenSource
from wechat.models import Account
from wechat.services.calls import journal_for
from wechat.services.tokens import AccountTokens


def client_for(
    account_id: int,
    *,
    timeout_s: float | None = None,
    busy_patience_s: float = 8,
    tokens: TokenSource | None = None,
    journal: Journal | None = None,
) -> GatewayClient:
    """A client with the account's present secret and the shared tokens. Raises NotFound for no active
    account.

    Made anew for each use: it costs one query, and a secret changed in admin counts at once. `timeout_s`
    bounds one call (default WECHAT_TIMEOUT_S), `busy_patience_s` the pauses on "system busy".
    `tokens` and `journal` stand in for the account's own, for senders of many messages.
    """
    account = Account.objects.filter(pk=account_id, is_active=True).first()
    if account is None:
        raise NotFound
    return GatewayClient(
        account.app_id,
        account.app_secret,
        tokens=tokens or AccountTokens(account.pk),
        journal=journal or journal_for(account.pk),
        timeout_s=timeout_s,
        busy_patience_s=busy_patience_s,
    )
