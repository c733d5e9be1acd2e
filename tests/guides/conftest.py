"""The sandbox in WeChat's place, for the tests of channel codes."""

from tests.wechat.gateway_out import sandbox, sandbox_url  # noqa: F401
