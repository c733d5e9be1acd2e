"""Server-sent events: everything that happens, told to every open console."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

QUEUE_SIZE = 1000
HEARTBEAT_S = 15.0


class Hub:
    """Fans events out to listeners; a listener too slow to keep up is told to reload instead."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[tuple[str, Any]]] = set()
        self.is_closed = False

    def publish(self, kind: str, data: Any) -> None:
        """Tell all listeners; never waits."""
        for queue in self._listeners:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(("reload", {}))
            else:
                queue.put_nowait((kind, data))

    def close(self) -> None:
        """End every stream, so that the process can stop at once."""
        self.is_closed = True
        for queue in self._listeners:
            while not queue.empty():
                queue.get_nowait()
            queue.put_nowait(("close", {}))

    async def listen(self) -> AsyncIterator[str]:
        """Yield events in the text/event-stream format until closed or abandoned."""
        queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(QUEUE_SIZE)
        self._listeners.add(queue)
        try:
            yield "retry: 1000\n\n"
            while not self.is_closed:
                try:
                    kind, data = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if kind == "close":
                    return
                yield f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
        finally:
            self._listeners.discard(queue)
