"""What `make demo` does between the engines and the servers: migrate, collect files, seed once, give logins."""

import contextlib
import dataclasses
import multiprocessing
from collections.abc import Iterator
from typing import Final

import django
from django.core.management import call_command

from config.demo.processes import ProcessFailed, Supervisor
from core import events
from core.actor import Actor

ADMIN_NAME = "admin"
ADMIN_PASSWORD = "xiaoer-demo"  # noqa: S105  (printed on the screen; the demo is on loopback only)
EAST_NAME = "east"
# What is told of each order of the past: `seed_care` does what hears of it, for all of them together. And of the tiers that
# it led to: members were congratulated then.
_LONG_PAST: Final = (
    "sales.SaleRecorded",
    "sales.SaleCorrected",
    "sales.ReturnRecorded",
    "members.TierChanged",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Logins:
    text: str


def _seed_performance(actor: Actor) -> None:
    """What was sold, what it was to be, what it earned, and what it tells of each member."""
    from config.demo.facts import seed_facts
    from config.demo.metrics import seed_metrics
    from config.demo.sales import seed_sales
    from config.demo.targets import seed_targets
    from core import clock

    seed_sales(at=clock.now(), actor=actor)
    seed_facts(at=clock.now(), actor=actor)
    seed_targets(at=clock.now(), actor=actor)
    seed_metrics(at=clock.now(), actor=actor)


def _seed_follow_up(supervisor: Supervisor, actor: Actor) -> None:
    """What follows purchases, how members are reached and what they look at, and the till that goes on selling."""
    from config.demo.browsing import seed_browsing
    from config.demo.care import seed_care
    from config.demo.followers import seed_followers
    from config.demo.journeys import seed_journeys
    from config.demo.live_till import seed_live_till
    from config.demo.materials import seed_materials
    from config.demo.reach_log import seed_reach_log
    from config.demo.reaching import seed_mini_openids, seed_quick_replies
    from config.demo.segments import seed_segments
    from core import clock
    from sales import services as sale_services

    seed_followers(at=clock.now(), actor=actor)
    seed_mini_openids(at=clock.now(), actor=actor)
    seed_reach_log(at=clock.now(), actor=actor)
    seed_quick_replies(at=clock.now(), actor=actor)
    seed_care(at=clock.now(), actor=actor)
    seed_browsing(at=clock.now(), actor=actor)
    seed_materials(at=clock.now(), actor=actor)
    seed_segments(at=clock.now(), actor=actor)
    sale_services.work_nine(actor=actor)
    seed_journeys(at=clock.now(), actor=actor)
    seed_live_till(supervisor.home, at=clock.now(), actor=actor)


def _meet_the_sandbox(supervisor: Supervisor, actor: Actor) -> tuple[str | None, str]:
    """The sandbox knows the accounts and their followers, and we its templates; 王芳's one-time code and 小美's scan."""
    from config.demo.followers import publish_menus
    from config.demo.reaching import adopt_templates
    from config.demo.stand_in import activate_demo_guides, connect, find_scan_link
    from core import clock

    supervisor.wait_for("sandbox")
    openids = connect(supervisor.sandbox_url, supervisor.web_url)
    adopt_templates(actor)
    publish_menus(actor=actor, at=clock.now())
    activation_code = activate_demo_guides(openids, at=clock.now())
    return activation_code, find_scan_link(supervisor.sandbox_url)


@contextlib.contextmanager
def _files_collected() -> Iterator[None]:
    """Hashed and compressed by a process of their own, beside what is done meanwhile. Raises ProcessFailed."""
    collecting = multiprocessing.get_context("fork").Process(
        target=call_command, args=("collectstatic",), kwargs={"verbosity": 0, "interactive": False}
    )
    collecting.start()
    yield
    collecting.join()
    if collecting.exitcode:
        raise ProcessFailed("the static files could not be collected; what went wrong stands above")


def _write_the_past() -> None:
    """Thousands of small transactions: none of them waits for the disk, and workers hear of what is left to be done."""
    from django.db import connection

    from config.dispatch import to_worker
    from config.event_routes import ROUTES

    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")

    def tell(path: str, event: events.Event) -> None:
        if events.event_name(type(event)) not in _LONG_PAST:
            to_worker(path, event)

    events.install(ROUTES, tell)


def _begin(supervisor: Supervisor) -> None:
    """Tables and files are there. Web server and worker load for seconds, beside all that is written then; nobody is told
    of the one, and the other does nothing, before that is there."""
    with _files_collected():
        _write_the_past()
        call_command("migrate", verbosity=0, interactive=False)
    supervisor.start_web()
    supervisor.start_worker()


def prepare(supervisor: Supervisor) -> Logins:
    """Idempotent; a second start finds everything done and takes a moment."""
    django.setup()
    print("Preparing the database …", flush=True)
    _begin(supervisor)
    from campaigns.services.contacts import count_contacts
    from config.demo.accounts import seed_accounts, seed_staff
    from config.demo.campaigns import seed_campaigns
    from config.demo.consents import seed_consents
    from config.demo.coupon_history import seed_coupon_history
    from config.demo.coupons import seed_coupons
    from config.demo.doors import seed_doors
    from config.demo.doubles import seed_doubles
    from config.demo.homes import seed_homes
    from config.demo.points import seed_points
    from config.demo.requests import seed_requests
    from config.demo.seed import seed_chain
    from config.demo.tags import seed_tags
    from config.demo.tiers import seed_tiers
    from config.demo.tills import seed_till
    from core import clock

    actor = Actor.system("demo")
    seed_accounts()
    summary = seed_chain(at=clock.now(), actor=actor)
    if summary.is_new:
        print(
            f"Seeded {summary.stores} stores, {summary.guides} guides, {summary.members} members.", flush=True
        )
    for seed in (
        seed_homes, seed_tags, seed_requests, seed_tiers, seed_points, seed_doubles, seed_consents, seed_coupons,
    ):  # fmt: skip
        seed(at=clock.now(), actor=actor)
    till = seed_till(supervisor.home, at=clock.now(), actor=actor)
    seed_coupon_history(at=clock.now(), actor=actor)
    _seed_performance(actor)
    seed_doors(at=clock.now(), actor=actor)
    _seed_follow_up(supervisor, actor)
    seed_staff(ADMIN_NAME, EAST_NAME, ADMIN_PASSWORD)
    seed_campaigns(at=clock.now(), admin_name=ADMIN_NAME, regional_name=EAST_NAME, actor=actor)
    count_contacts(at=clock.now())
    activation_code, scan_link = _meet_the_sandbox(supervisor, actor)
    text = (
        f"  Admin login      {ADMIN_NAME} / {ADMIN_PASSWORD}   (head office)\n"
        f"                   {EAST_NAME} / {ADMIN_PASSWORD}    (sees the eastern region only)\n"
        f"  Assistant login  choose 李娜 (guide) or 赵强 (store manager) on WeChat's page\n"
    )
    if activation_code:
        text += f"  First activation choose 王芳 and enter her one-time code {activation_code}\n"
    text += f"\n  小美 scans 李娜's code: {scan_link}\n"
    if till is not None:
        text += (
            f"\n  Open API         {supervisor.web_url}/openapi/v1/   key {till.key_id}, secret {till.secret}\n"
            f"  Play a till      .venv/bin/python manage.py call_openapi verify {till.coupon_code}\n"
            f"                   (price, redeem, return …; docs/open-api.md)\n"
        )
    return Logins(text)
