"""A stand-in for an app that keeps something about members: installed by tests only, with a table of its own."""
