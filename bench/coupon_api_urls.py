"""The project's addresses and the open API's floor: a bare view that checks a signature and writes the same rows.

It looks up the key, checks the HMAC, locks the coupon, looks at its state, and writes with plain statements what the API
writes of an order with two lines and one coupon. It keeps no nonce, no key of the request, no answer and no log, prices
nothing, asks no rule and counts no request.
"""

import hashlib
import hmac
import json
from typing import Any, Final

from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from config.urls import urlpatterns as project
from core import crypto

_KEY: Final = """
SELECT client.id, client.store_id, secret.secret FROM openapi_apiclient client
JOIN openapi_apisecret secret ON secret.client_id = client.id
WHERE client.key_id = %s AND client.state = 'active'
"""
_LOCK: Final = "SELECT id, batch_id, shard, state FROM coupons_coupon WHERE code = %s FOR NO KEY UPDATE"
_ORDER: Final = """
INSERT INTO coupons_couponorder (public_id, request_id, request_digest, store_id, order_no, amount_fen, discount_fen,
    points, points_fen, payable_fen, redeemed_at)
VALUES (left(md5(%s), 16), %s, '', %s, %s, 20000, 3000, 0, 0, 17000, now()) RETURNING id
"""
_LINES: Final = """
INSERT INTO coupons_couponorderline (order_id, key, product, quantity, amount_fen, points, points_fen, payable_fen)
VALUES (%s, '1', 'p1', 1, 12000, 0, 0, 10200), (%s, '2', 'p2', 1, 8000, 0, 0, 6800) RETURNING id
"""
_REDEMPTION: Final = """
INSERT INTO coupons_redemption (coupon_id, request_id, store_id, till, channel, order_no, amount_fen, discount_fen,
    redeemed_at, recorded_at, order_id, reversal_key, reversal_reason, returned_fen, returned_discount_fen)
VALUES (%s, %s, %s, '', 'store', %s, 20000, 3000, now(), now(), %s, '', '', 0, 0) RETURNING id
"""
_ENTRY: Final = """
INSERT INTO coupons_redemptionentry (redemption_id, what, day, at, sales_fen, discount_fen)
VALUES (%s, 'redeemed', current_date, now(), 20000, 3000)
"""
_SHARES: Final = """
INSERT INTO coupons_redemptionshare (redemption_id, line_id, discount_fen) VALUES (%s, %s, 1800), (%s, %s, 1200)
"""
_STATE: Final = "UPDATE coupons_coupon SET state = 'redeemed' WHERE id = %s"
_EVENT: Final = """
INSERT INTO coupons_couponevent (coupon_id, at, from_state, to_state, what, reason, actor)
VALUES (%s, now(), 'issued', 'redeemed', 'redeemed', '', 'bench')
"""
_AUDIT: Final = """
INSERT INTO core_auditentry (at, actor_kind, actor_id, actor_label, action, subject_kind, subject_id, details)
VALUES (now(), 'client', %s, 'bench', 'coupons.redeemed', 'coupons.redemption', %s, '{}')
"""
_COUNT: Final = """
UPDATE coupons_couponbatchshard SET redeemed_count = redeemed_count + 1, discount_fen = discount_fen + 3000,
    sales_fen = sales_fen + 20000 WHERE batch_id = %s AND shard = %s
"""


@csrf_exempt
def redeem(request: HttpRequest) -> JsonResponse:
    """One order with one coupon. 401 for a wrong signature, 409 for a coupon that is used."""
    given = json.loads(request.body)
    with connection.cursor() as cursor:
        caller = caller_of(request, cursor)
        if caller is None:
            return JsonResponse({"code": "wrong"}, status=401)
        client, store = caller
        with transaction.atomic():
            cursor.execute(_LOCK, [given["coupons"][0]])
            coupon, batch, shard, state = cursor.fetchone()
            if state != "issued":
                return JsonResponse({"code": "used"}, status=409)
            order = _write(cursor, coupon, store, given["order_no"], client)
            cursor.execute(_COUNT, [batch, shard])
    return JsonResponse({"id": order, "order_no": given["order_no"], "payable_fen": 17_000})


def caller_of(request: HttpRequest, cursor: Any) -> tuple[int, int] | None:
    """The client and its store (row ids) whose signature this is; None for a wrong one."""
    headers = request.headers
    key_id = headers["X-Xiaoer-Key"]
    cursor.execute(_KEY, [key_id])
    client, store, sealed = cursor.fetchone()
    secret = crypto.unseal(sealed, context="openapi_apisecret.secret")
    text = "\n".join(
        (
            "XIAOER1-HMAC-SHA256",
            "POST",
            request.path,
            key_id,
            headers["X-Xiaoer-Time"],
            headers["X-Xiaoer-Nonce"],
            hashlib.sha256(request.body).hexdigest(),
        )
    )
    expected = hmac.digest(secret.encode(), text.encode(), "sha256").hex()
    return (client, store) if hmac.compare_digest(expected, headers["X-Xiaoer-Signature"]) else None


def _write(cursor: Any, coupon: int, store: int, number: str, client: int) -> int:
    cursor.execute(_ORDER, [number, f"o-{number}", store, number])
    [order] = cursor.fetchone()
    cursor.execute(_LINES, [order, order])
    first, second = (line for (line,) in cursor.fetchall())
    cursor.execute(_REDEMPTION, [coupon, f"r-{number}", store, number, order])
    [redemption] = cursor.fetchone()
    cursor.execute(_ENTRY, [redemption])
    cursor.execute(_SHARES, [redemption, first, redemption, second])
    cursor.execute(_STATE, [coupon])
    cursor.execute(_EVENT, [coupon])
    cursor.execute(_AUDIT, [client, redemption])
    return int(order)


urlpatterns = [path("bench/redeem/", redeem), *project]
