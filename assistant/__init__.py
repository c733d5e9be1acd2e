"""The guide assistant: the mobile web pages guides use inside WeChat."""
