"""The project's settings, with the floor's address beside the project's."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.mini_profile_urls"
