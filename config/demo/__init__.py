"""`make demo`: the whole system on one machine, with a demo chain and the sandbox in WeChat's place."""
