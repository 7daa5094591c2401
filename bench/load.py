"""The load generator, a process of its own: ``python -m bench.load`` reads an ``Order`` and prints a ``Result``.

It speaks HTTP/1.1 over kept connections to this machine only and is bounded in requests and time.  It parses no more of
an answer than its status and length, so that it takes little of the processor that is being measured.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field

MOST_REQUESTS = 200_000
MOST_SECONDS = 300.0
MOST_CONNECTIONS = 256


@dataclass(frozen=True)
class Order:
    """What to send where.

    Without ``rate`` each of ``connections`` sends its next request as soon as its last is answered.  With it, requests
    leave at that many a second whether or not earlier ones are answered, and a latency counts from the instant at which
    a request was due, so that a server that stalls cannot hide it.
    """

    port: int
    path: str
    bodies: list[str]
    seconds: float
    token: str = ""
    connections: int = 16
    rate: float | None = None
    key: str = "bench"
    keep_numbers: bool = False


@dataclass
class Result:
    """What came back; latencies in seconds, ``sent`` the Unix times at which tickets were due to be sent, by number."""

    statuses: dict[str, int] = field(default_factory=dict)
    broken: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    sent: dict[str, float] = field(default_factory=dict)

    @property
    def created(self) -> int:
        """How many tickets were made."""
        return self.statuses.get("201", 0)

    @property
    def rate(self) -> float:
        """Tickets made per second."""
        return self.created / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that ``share`` of the requests did not exceed, in milliseconds."""
        return percentile(self.latencies, share) * 1000


def percentile(values: list[float], share: float) -> float:
    """Return the smallest value that ``share`` of ``values`` do not exceed; infinite when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")


class Connection(asyncio.Protocol):
    """One kept connection that carries one request at a time."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._due = 0.0
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note where to write."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, serial: int, due: float) -> None:
        """Send request number ``serial``, which was due at ``due`` on the monotonic clock."""
        assert self._transport is not None
        self._due, self._busy = due, True
        self._transport.write(self._load.request(serial))

    def data_received(self, data: bytes) -> None:
        """Collect the answer and report it when it is whole."""
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = bytes(self._received[:head_end]).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        if len(self._received) < head_end + 4 + length:
            return
        body = bytes(self._received[head_end + 4 :])
        self._received.clear()
        self._busy = False
        self._load.answered(self, head[9:12].decode(), body, self._due)

    def connection_lost(self, _error: Exception | None) -> None:
        """Report an answer that will not come; a connection that had nothing to carry is merely gone."""
        self._load.lost(self, in_hand=self._busy)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


class Load:
    """The requests in flight and what has come back."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._bodies = [body.encode() for body in order.bodies]
        head = f"POST {order.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        self._head = head + (f"Authorization: Bearer {order.token}\r\n" if order.token else "")
        self._statuses: Counter[str] = Counter()
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._waiting: list[tuple[int, float]] = []
        self._in_flight = 0
        self._serial = 0
        self._until = 0.0
        self.result = Result()

    def request(self, serial: int) -> bytes:
        """Return the bytes of a request; each has an idempotency key of its own."""
        body = self._bodies[serial % len(self._bodies)]
        head = f"{self._head}Idempotency-Key: {self._order.key}-{serial}\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def answered(self, connection: Connection, status: str, body: bytes, due: float) -> None:
        """Count the answer and give the connection its next request."""
        now = time.monotonic()
        self._in_flight -= 1
        self._statuses[status] += 1
        self.result.latencies.append(now - due)
        if self._order.keep_numbers and status == "201":
            self.result.sent[json.loads(body)["number"]] = time.time() - (now - due)
        self._next(connection, now)

    def lost(self, connection: Connection, *, in_hand: bool) -> None:
        """Count what broke."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if in_hand:
            self._in_flight -= 1
            self.result.broken += 1

    def _next(self, connection: Connection, now: float) -> None:
        if self._waiting:
            self._send(connection, *self._waiting.pop(0))
        elif self._order.rate is None and now < self._until and self._serial < MOST_REQUESTS:
            self._send(connection, self._take_serial(), now)
        else:
            self._idle.append(connection)

    def _send(self, connection: Connection, serial: int, due: float) -> None:
        self._in_flight += 1
        connection.send(serial, due)

    def _take_serial(self) -> int:
        self._serial += 1
        return self._serial - 1

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: Connection(self), "127.0.0.1", self._order.port)
        self._open.add(connection)
        return connection

    async def run(self) -> Result:
        """Send everything, wait for what is in flight, and return what came back."""
        connections = [await self._connect() for _ in range(min(self._order.connections, MOST_CONNECTIONS))]
        began = time.monotonic()
        self._until = began + min(self._order.seconds, MOST_SECONDS)
        if self._order.rate is None:
            for connection in connections:
                self._next(connection, began)
            await asyncio.sleep(self._until - began)
        else:
            self._idle += connections
            await self._send_at_rate(self._order.rate, began)
        await self._drain()
        self.result.seconds = time.monotonic() - began
        self.result.statuses = dict(self._statuses)
        for connection in list(self._open):
            connection.close()
        return self.result

    async def _send_at_rate(self, rate: float, began: float) -> None:
        for serial in range(min(int(rate * self._order.seconds), MOST_REQUESTS)):
            due = began + serial / rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
            if not self._idle and len(self._open) < MOST_CONNECTIONS:
                self._idle.append(await self._connect())
            if self._idle:
                self._send(self._idle.pop(), serial, due)
            else:
                self._waiting.append((serial, due))

    async def _drain(self) -> None:
        patience = time.monotonic() + 30
        while (self._in_flight or self._waiting) and time.monotonic() < patience:
            await asyncio.sleep(0.005)
        self.result.broken += self._in_flight + len(self._waiting)


def main() -> None:
    """Carry out one order."""
    order = Order(**json.load(sys.stdin))
    json.dump(asdict(asyncio.run(Load(order).run())), sys.stdout)


if __name__ == "__main__":
    main()
