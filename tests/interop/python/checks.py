"""What every script here shares: named checks on stdout, one line each, and the words with the Rust test."""

import sys

from engineio.payload import Payload

# By default the clients drop the connection when one answer to a poll holds more than 16 packets.
Payload.max_decode_packets = 1000


def passed(name):
    print(f"ok {name}", flush=True)


def failed(name, error):
    why = f"{type(error).__name__}: {error}".replace("\n", " | ")
    print(f"not ok {name}: {why}", flush=True)


def order(word):
    """Asks the Rust test for `stop-server` or `start-server` and returns when it is done."""
    print(word, flush=True)
    sys.stdin.readline()


def tree():
    """A value with two attachments at different depths."""
    return {"list": [bytes([1, 2, 3]), {"deep": bytes([255, 0])}], "text": "plain", "none": None}


VALUES = ["text", 1, -2.5, True, None, {"a": [1, {"b": "c"}]}, [], "zażółć 🦀 \" \\ \u2028"]
AUTH = {"token": "hello", "nested": [1, {"deep": True}]}
LARGE_TEXT = "ż🦀x" * 20_000  # Python writes it as 380 kB of escapes
LARGE_BYTES = bytes(index % 251 for index in range(500_000))
TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}
