"""Whether many handshakes leave anything behind, and whether a hundred connections at once are served.

    .venv/bin/python bench/endurance.py [SCHEME] [--handshakes N] [--connections N]

Memory is what the interpreter has allocated, and what the process holds, after the first tenth and at the end; the
first tenth fills pools of the interpreter and of libraries. Connections are opened all at once, and closed when all
stand.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
import tracemalloc
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from handshake_ratio import World

import pqdc
from pqdc.handshake.transport.tcp import Bounds, TcpServer, TlsStream, connect


def main() -> None:
    """Both, printed."""
    parser = argparse.ArgumentParser(description="Many handshakes, and many connections.")
    parser.add_argument("scheme", nargs="?", default="ML-DSA-44")
    parser.add_argument("--handshakes", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=100)
    wanted = parser.parse_args()
    catalog = pqdc.load_catalog()
    world = World(catalog, catalog[wanted.scheme], datetime.now(UTC))
    sequential(world, wanted.handshakes)
    asyncio.run(concurrent(world, wanted.connections))


def sequential(world: World, count: int) -> None:
    """One after the other, in memory."""
    tracemalloc.start()
    warm_up = count // 10
    for _ in range(warm_up):
        world.handshake()
    before = memory()
    for _ in range(count - warm_up):
        world.handshake()
    after = memory()
    tracemalloc.stop()
    print(f"{count:,} handshakes, of which {warm_up:,} to warm up:")
    for name, start, end in zip(("allocated by Python", "resident in the process"), before, after, strict=True):
        print(f"  {name}: {start / 1024:,.0f} KiB, then {end / 1024:,.0f} KiB ({(end - start) / 1024:+,.0f} KiB)")


def memory() -> tuple[int, int]:
    """Bytes allocated by Python, and resident in the process."""
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    return tracemalloc.get_traced_memory()[0], resident


async def concurrent(world: World, count: int) -> None:
    """All at once, over TCP, in one event loop."""

    async def echo(stream: TlsStream) -> None:
        while data := await stream.read():
            await stream.write(data)

    bounds = Bounds(handshake=60, connections=count)
    server = TcpServer(lambda: world.server, echo, bounds=bounds)
    port = await server.listen("127.0.0.1", 0)
    start = time.perf_counter()
    async with AsyncExitStack() as stack:
        streams = await asyncio.gather(*(connect(world.client, "127.0.0.1", port, bounds=bounds) for _ in range(count)))
        stood = time.perf_counter() - start
        for stream in streams:
            await stack.enter_async_context(stream)
        for stream in streams:
            await stream.write(b"ping")
        answered = sum([await stream.read() == b"ping" for stream in streams])
    await server.close()
    print(f"{count} connections at once: all stood after {stood:.2f} s, {answered} answered, {len(server.active)} left")


if __name__ == "__main__":
    main()
