"""The gateway to WeChat: pushes in, calls out, followers and replies. It knows no member."""
