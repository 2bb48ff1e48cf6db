"""The bench's client on python-socketio's AsyncClient: the options and the line of `testbed-client`."""

import argparse
import asyncio
import itertools
import json
import time

import socketio

WARM_UP = 0.5  # seconds
ANSWER_WITHIN = 5  # seconds
TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}

parser = argparse.ArgumentParser()
parser.add_argument("--url", required=True)
parser.add_argument("--window", type=int, required=True)
parser.add_argument("--seconds", type=float, required=True)
parser.add_argument("--transport", choices=TRANSPORTS, default="websocket")
parser.add_argument("--payload", type=int, default=64)
parser.add_argument("--connects", type=int, default=1)
parser.add_argument("--binary", action="store_true")
options = parser.parse_args()

if options.binary:
    argument = bytes(index * 37 % 251 for index in range(options.payload))
else:
    argument = "".join(itertools.islice(itertools.cycle("abcdefghijklmnopqrstuvwxyz"), options.payload))


async def connect():
    """Nanoseconds of every connection's way to the joined namespace, and the client of the last."""
    times = []
    while True:
        begun = time.perf_counter_ns()
        client = socketio.AsyncClient(reconnection=False)
        await client.connect(options.url, transports=TRANSPORTS[options.transport])
        times.append(time.perf_counter_ns() - begun)
        if len(times) >= options.connects:
            return client, times
        await client.disconnect()


async def echoes(client, end, latencies):
    """One echo after the other; gives how many went wrong. Callbacks, because `call` costs more."""
    errors = 0
    loop = asyncio.get_running_loop()
    while time.perf_counter_ns() < end:
        begun = time.perf_counter_ns()
        answered = loop.create_future()
        await client.emit("echo", argument, callback=answered.set_result)
        if await answered == argument:
            latencies.append(time.perf_counter_ns() - begun)
        else:
            errors += 1
    return errors


async def run(client, seconds):
    latencies = []
    end = time.perf_counter_ns() + int(seconds * 1e9)
    workers = [asyncio.ensure_future(echoes(client, end, latencies)) for _ in range(options.window)]
    _, late = await asyncio.wait(workers, timeout=seconds + ANSWER_WITHIN)
    for worker in late:
        worker.cancel()
    return latencies, len(late) + sum(worker.result() for worker in workers if worker not in late)


def percentile(values, percent):
    values = sorted(values)
    return values[min(len(values) * percent // 100, len(values) - 1)] / 1000 if values else 0


async def main():
    client, times = await connect()
    await run(client, WARM_UP)
    begun, cpu = time.perf_counter(), time.process_time()
    latencies, errors = await run(client, options.seconds)
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - begun
    line = {
        "client": "python-socketio",
        "operations": len(latencies),
        "seconds": seconds,
        "p50_us": percentile(latencies, 50),
        "p99_us": percentile(latencies, 99),
        "cpu_us_per_operation": cpu * 1e6 / max(len(latencies), 1),
        "errors": errors,
        "connect_to_joined_us": percentile(times, 50),
    }
    print(json.dumps(line), flush=True)
    await client.disconnect()


asyncio.run(main())
