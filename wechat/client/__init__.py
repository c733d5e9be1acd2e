"""Calls out to WeChat: wechatpy's API classes on a transport of our own.

wechatpy 1.8.18 retries without end, keeps tokens per process, names its hosts in the code and puts the
AppSecret into its exceptions. `gateway.GatewayClient` keeps its API classes and replaces everything below.
"""
