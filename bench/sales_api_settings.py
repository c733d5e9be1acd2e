"""The project's settings, with the address of the bare signed view of sales beside the project's."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.sales_api_urls"
