"""A stand-in for WeChat that runs on one's own machine.

It plays the platform's side of the conversation: it answers the server APIs, shows the OAuth page, keeps
followers and QR codes, and pushes signed and encrypted events to a callback URL. It is independent of the
product it is used to try: it imports nothing of it, and nothing of it imports this package.
"""
