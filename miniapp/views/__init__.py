"""The endpoints, one module a topic: typed input, one service or selector, an answer."""
