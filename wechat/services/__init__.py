"""What the gateway does. Import the submodule you need: `from wechat.services import outbox`."""
