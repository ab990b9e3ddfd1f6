"""A line between two processes that can be cut, torn and stalled: `python -m tests.storm.proxy LISTEN TARGET`.

Addresses are a path of a Unix socket, or a port of 127.0.0.1. Commands come by standard input, one a line:
`cut` breaks every connection at once; `tear` lets half of the next request through, and breaks its connection;
`mute` breaks each connection as its next answer comes, which is lost; `stall` lets nothing through, and `go` goes on.
"""

import asyncio
import os
import signal
import sys
from contextlib import suppress

from ledgerctl.processes import die_with_parent

CHUNK_BYTES = 65_536


class Line:
    """The connections, and what is the matter with them."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._going = asyncio.Event()
        self._going.set()
        self._open: set[Pair] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a caller until one of the two sides ends."""
        await self._going.wait()
        try:
            to = await connect(self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = Pair(writer, to[1])
        self._open.add(pair)
        try:
            requests = asyncio.create_task(self._pass_on(pair, reader, to[1], requests=True))
            answers = asyncio.create_task(self._pass_on(pair, to[0], writer, requests=False))
            await asyncio.wait([requests, answers], return_when=asyncio.FIRST_COMPLETED)
            requests.cancel()
            answers.cancel()
        finally:
            self._open.discard(pair)
            pair.close()

    def command(self, name: str) -> None:
        """Do what a line of standard input says."""
        if name == "stall":
            self._going.clear()
        elif name == "go":
            self._going.set()
        for pair in list(self._open):
            if name == "cut":
                pair.abort()
            elif name in ("tear", "mute"):
                setattr(pair, name, True)

    async def _pass_on(
        self, pair: "Pair", reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, requests: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self._going.wait()
                if requests and pair.tear:
                    writer.write(data[: len(data) // 2])
                    await writer.drain()
                    pair.abort()
                    return
                if pair.mute and not requests:
                    pair.abort()
                    return
                writer.write(data)
                await writer.drain()


class Pair:
    """The two connections of one caller."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self._writers = writers
        self.tear = self.mute = False

    def abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def close(self) -> None:
        for writer in self._writers:
            with suppress(OSError, RuntimeError):
                writer.close()


async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to an address."""
    if address.isdigit():
        return await asyncio.open_connection("127.0.0.1", int(address))
    return await asyncio.open_unix_connection(address)


async def main(listen: str, target: str) -> None:
    """Serve until standard input ends."""
    line = Line(target)
    if listen.isdigit():
        server = await asyncio.start_server(line.connected, "127.0.0.1", int(listen))
        print(server.sockets[0].getsockname()[1], flush=True)
    else:
        await asyncio.start_unix_server(line.connected, listen)
        print(listen, flush=True)
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while command := await commands.readline():
        line.command(command.decode().strip())


if __name__ == "__main__":
    die_with_parent(signal.SIGKILL, os.getppid())
    asyncio.run(main(*sys.argv[1:]))
