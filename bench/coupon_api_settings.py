"""The project's settings, with the bare signed view's address beside the project's."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.coupon_api_urls"
