"""A pass over all followers of an account: the list, those who are on it no more, and who they are.

Official pages "get follower list" and "get user basic information". A step is one call and one transaction that also
moves the run on, fenced by its lease: a killed run is gone on with, and a step that was done twice writes nothing.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q

from core import audit, clock, events
from core.actor import Actor
from core.constraints import violated
from core.errors import NotFound
from core.leases import LeaseLost, give_lease_back, is_free, keep_lease, take_lease
from wechat.client.errors import CONFIGURATION_TROUBLE, WeChatError
from wechat.client.gateway import GatewayClient
from wechat.contracts import FollowerInfo
from wechat.errors import SyncOver, SyncUnderWay
from wechat.events import FollowerLost, FollowersListed
from wechat.models import Account, Follower, FollowerSync
from wechat.models.account import AccountKind
from wechat.models.followers import SyncPhase, SyncState
from wechat.services import followers
from wechat.services.clients import client_for
from wechat.services.follower_lookup import BATCH, answers_for, keep_answers
from wechat.services.forgotten import without_forgotten
from wechat.services.openid_pages import read_openid_page
from wechat.services.verdicts import code_of

# So long one worker stays with a run before it looks after other work.
TURN: Final = dt.timedelta(seconds=45)
LONGEST_PAUSE_S: Final = 300
# Between two settlements of who followers are: longer ones would hold what a killed worker has to ask again.
CALLS_A_STEP: Final = 5
MOST_RESTARTS: Final = 3
_OPEN: Final = frozenset({SyncState.RUNNING, SyncState.PAUSED, SyncState.FAILED})
_INVALID_OPENID: Final = 40003

# Who unfollowed after the page was asked for stays so.
_STORE: Final = """
WITH kept AS (
    INSERT INTO wechat_follower (account_id, openid, unionid, is_following, first_scene, listed_run)
    SELECT %(account_id)s, openid, '', TRUE, '', %(run)s FROM unnest(%(openids)s::text[]) openid ORDER BY openid
    ON CONFLICT (account_id, openid) DO UPDATE
    SET listed_run = excluded.listed_run,
        is_following = wechat_follower.is_following OR wechat_follower.unfollowed_at IS NULL
                       OR wechat_follower.unfollowed_at < %(at)s
    WHERE wechat_follower.listed_run IS DISTINCT FROM excluded.listed_run
    RETURNING xmax = 0 AS is_new)
SELECT count(*), count(*) FILTER (WHERE is_new) FROM kept
"""


def start_follower_sync(*, account_id: int, actor: Actor, at: dt.datetime | None = None) -> int:
    """A run over the account's followers waits for a worker; its id. Raises NotFound for no active official account;
    refuses (SyncUnderWay) while another run is not over."""
    now = at or clock.now()
    account = Account.objects.filter(pk=account_id, is_active=True, kind=AccountKind.OFFICIAL).first()
    if account is None:
        raise NotFound
    try:
        with transaction.atomic():
            run = FollowerSync.objects.create(
                account=account, started_at=now, phase_started_at=now, moved_at=now
            )
            audit.record(action="wechat.followersync.start", subject=run, actor=actor, at=now)
    except IntegrityError as error:
        if violated(error) == "followersync_one_open_per_account":
            raise SyncUnderWay from None
        raise
    return run.pk


def pause_follower_sync(*, run_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The run rests after the step that is being made. Refuses (SyncOver) one that is over or failed."""
    with transaction.atomic():
        run = _take(run_id, {SyncState.RUNNING, SyncState.PAUSED}, state=SyncState.PAUSED)
        audit.record(action="wechat.followersync.pause", subject=run, actor=actor, at=at or clock.now())


def resume_follower_sync(*, run_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """A run that rests, waits or failed goes on where it was, now. Refuses (SyncOver) one that is over."""
    with transaction.atomic():
        run = _take(
            run_id,
            _OPEN,
            state=SyncState.RUNNING,
            resume_at=None,
            restart_count=0,
            trouble_count=0,
            trouble_code="",
            trouble_errcode=None,
        )
        audit.record(action="wechat.followersync.resume", subject=run, actor=actor, at=at or clock.now())


def stop_follower_sync(*, run_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The run is over; what it found stays, nobody is marked lost for it. Refuses (SyncOver) one that is over."""
    now = at or clock.now()
    with transaction.atomic():
        run = _take(run_id, _OPEN, state=SyncState.STOPPED, ended_at=now)
        audit.record(action="wechat.followersync.stop", subject=run, actor=actor, at=now)


def _take(run_id: int, states: frozenset[SyncState] | set[SyncState], **changes: Any) -> FollowerSync:
    """The run, taken from whoever works on it, is as `changes` say."""
    run = FollowerSync.objects.lock(run_id)
    if run.state not in states:
        raise SyncOver
    FollowerSync.objects.filter(pk=run_id).update(lease_holder="", leased_until=None, **changes)
    return run


def work_follower_syncs() -> int:
    """Every run that is due is worked on for a turn, one after the other; the steps made. Runs that another worker has
    are left to it."""
    now = clock.now()
    due = FollowerSync.objects.filter(is_free(now), Q(resume_at=None) | Q(resume_at__lte=now))
    ids = due.filter(state=SyncState.RUNNING).order_by("pk").values_list("pk", flat=True)
    return sum(work_follower_sync(run_id) for run_id in list(ids))


def work_follower_sync(run_id: int) -> int:
    """Work on one run for a turn, if nobody else does; the steps made."""
    row = FollowerSync.objects.filter(pk=run_id, state=SyncState.RUNNING)
    holder = take_lease(row)
    if holder is None:
        return 0
    ends_at, steps = clock.now() + TURN, 0
    try:
        client = client_for(row.values_list("account_id", flat=True)[0])
        while clock.now() < ends_at and _step(client, row, holder):
            steps += 1
    except NotFound:
        _fail(row, holder, "wechat.no_account", None)
    except LeaseLost:
        return steps
    give_lease_back(FollowerSync.objects.filter(pk=run_id), holder=holder)
    return steps


def _step(client: GatewayClient, row: Any, holder: str) -> bool:
    """One call and what follows from it; False when there is nothing more to do now."""
    run = row.select_related("account").first()
    if run is None:
        raise LeaseLost
    if run.resume_at is not None and run.resume_at > clock.now():
        return False
    steps = {
        SyncPhase.LISTING: _list_page,
        SyncPhase.CHECKING: _check_absent,
        SyncPhase.IDENTIFYING: _identify,
    }
    try:
        return steps[SyncPhase(run.phase)](client, run, row, holder)
    except WeChatError as error:
        _note_trouble(run, row, holder, error)
        return False


def _list_page(client: GatewayClient, run: FollowerSync, row: Any, holder: str) -> bool:
    """Up to 10,000 are members and followers, unless they left in the meantime."""
    # Pushes come in whole seconds: one of this very second is later than the list.
    asked_at = clock.now().replace(microsecond=0)
    openids, total, next_openid = read_openid_page(
        client.user.get_followers(run.next_openid or None), path="/cgi-bin/user/get", counter="total"
    )
    count = len(openids)
    openids = without_forgotten(account_id=run.account_id, openids=openids)
    if openids:
        events.deliver(
            FollowersListed(run.account_id, run.account.app_id, " ".join(openids), int(asked_at.timestamp()))
        )
    with transaction.atomic():
        moved: dict[str, Any] = {"total_count": total, "seen_count": F("seen_count") + count}
        if openids:
            with connection.cursor() as cursor:
                values: dict[str, Any] = {
                    "account_id": run.account_id,
                    "run": run.pk,
                    "openids": openids,
                    "at": asked_at,
                }
                cursor.execute(_STORE, values)
                _changed, is_new = cursor.fetchone()
            moved["new_count"] = F("new_count") + is_new
        if count and next_openid and next_openid != run.next_openid:
            moved["next_openid"] = next_openid
        elif run.seen_count + count < total and run.restart_count < MOST_RESTARTS:
            # People leave and come while the list is read, and the place we read on from may leave too.
            moved |= {"next_openid": "", "seen_count": 0, "restart_count": F("restart_count") + 1}
        else:
            is_whole = run.seen_count + count >= total
            moved |= _enter(SyncPhase.CHECKING if is_whole else SyncPhase.IDENTIFYING)
        _keep(row, holder, **moved)
    return True


def _check_absent(client: GatewayClient, run: FollowerSync, row: Any, holder: str) -> bool:
    """Followers whom the list did not name are asked about, and are lost only when WeChat says that they left."""
    before = Q(followed_at=None) | Q(followed_at__lt=run.started_at)
    absent = Follower.objects.filter(
        before, account_id=run.account_id, is_following=True, pk__gt=run.check_cursor
    ).exclude(listed_run=run.pk)
    asked = list(absent.order_by("pk")[:BATCH])
    if not asked:
        with transaction.atomic():
            _keep(row, holder, calls=0, **_enter(SyncPhase.IDENTIFYING))
        return True
    now = clock.now()
    lost = [info.openid for info in answers_for(client, asked) if not info.is_following]
    for openid in lost:
        _lose(run, openid, now)
    with transaction.atomic():
        _keep(row, holder, check_cursor=asked[-1].pk, lost_count=F("lost_count") + len(lost))
    return True


def _lose(run: FollowerSync, openid: str, at: dt.datetime) -> None:
    """As if WeChat had pushed it. Handlers are idempotent: a run that dies in between does it again."""
    events.deliver(
        FollowerLost(
            account_id=run.account_id,
            app_id=run.account.app_id,
            openid=openid,
            inbound_id=0,
            at=int(at.timestamp()),
        )
    )
    followers.note_unfollow(account_id=run.account_id, openid=openid, at=at)


def _identify(client: GatewayClient, run: FollowerSync, row: Any, holder: str) -> bool:
    """Some hundreds who were never asked about have their unionid, within the budget of the day: a call for each hundred,
    and what was answered is settled together."""
    now = clock.now()
    today = clock.business_day(now)
    waiting = Follower.objects.filter(
        account_id=run.account_id, identified_at=None, is_following=True, pk__gt=run.check_cursor
    )
    spent = run.lookup_count if run.lookups_on == today else 0
    left = max(0, settings.WECHAT_FOLLOWER_LOOKUPS_PER_DAY - spent)
    asked = list(waiting.order_by("pk")[: BATCH * min(max(left, 1), CALLS_A_STEP)])
    with transaction.atomic():
        if not asked:
            _keep(row, holder, calls=0, state=SyncState.FINISHED, ended_at=now)
            return False
        if not left:
            _start, midnight = clock.day_bounds(today)
            _keep(row, holder, calls=0, resume_at=midnight)
            return False
    infos, calls = _ask(client, asked)
    count = keep_answers(account=run.account, infos=infos, asked_at=now)
    with transaction.atomic():
        _keep(
            row,
            holder,
            calls=calls,
            check_cursor=asked[len(infos) - 1].pk,
            lookups_on=today,
            lookup_count=spent + calls,
            identified_count=F("identified_count") + count,
        )
    return True


def _ask(client: GatewayClient, asked: Sequence[Follower]) -> tuple[list[FollowerInfo], int]:
    """What WeChat says of them in their order, and in how many calls. Trouble ends it after what was answered before; raises
    WeChatError when that is nothing."""
    infos: list[FollowerInfo] = []
    for calls, start in enumerate(range(0, len(asked), BATCH)):
        try:
            infos += list(answers_for(client, asked[start : start + BATCH]))
        except WeChatError:
            if not infos:
                raise
            return infos, calls
    return infos, -(-len(asked) // BATCH)


def _enter(phase: SyncPhase) -> dict[str, Any]:
    return {"phase": phase, "check_cursor": 0, "phase_started_at": clock.now()}


def _keep(row: Any, holder: str, *, calls: int = 1, **changes: Any) -> None:
    """The run has moved on, and is still this worker's. Raises LeaseLost when it is not."""
    keep_lease(
        row,
        holder=holder,
        moved_at=clock.now(),
        request_count=F("request_count") + calls,
        **{"resume_at": None, "trouble_count": 0, "trouble_code": "", "trouble_errcode": None} | changes,
    )


def _note_trouble(run: FollowerSync, row: Any, holder: str, error: WeChatError) -> None:
    """The run waits, begins its list again, or stops for a person, as WeChat's answer asks for."""
    if (
        error.errcode == _INVALID_OPENID
        and run.phase == SyncPhase.LISTING
        and run.next_openid
        and run.restart_count < MOST_RESTARTS
    ):
        changes: dict[str, Any] = {
            "next_openid": "",
            "seen_count": 0,
            "restart_count": F("restart_count") + 1,
        }
    elif error.permanent or error.errcode in CONFIGURATION_TROUBLE:
        _fail(row, holder, code_of(error), error.errcode)
        return
    else:
        pause_s = error.retry_after_s or 0
        pause_s = max(pause_s, min(LONGEST_PAUSE_S, 2 ** min(run.trouble_count, 10)))
        changes = {
            "resume_at": clock.now() + dt.timedelta(seconds=pause_s),
            "trouble_count": F("trouble_count") + 1,
            "trouble_code": code_of(error),
            "trouble_errcode": error.errcode,
        }
    with transaction.atomic():
        keep_lease(row, holder=holder, request_count=F("request_count") + 1, **changes)


def _fail(row: Any, holder: str, code: str, errcode: int | None) -> None:
    with transaction.atomic():
        keep_lease(row, holder=holder, state=SyncState.FAILED, trouble_code=code, trouble_errcode=errcode)
