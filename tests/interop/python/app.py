"""What the servers here share: their options, and the parts of the app `interop` that are the same everywhere."""

import argparse
import os
import socket
import sys
import threading

from socketio.exceptions import ConnectionRefusedError

NAMESPACES = ["/", "/custom", "/auth"]
PATIENCE = {"ask": 10, "ask-briefly": 0.2}  # seconds


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binding")
    parser.add_argument("--app")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--transports", default="polling,websocket")
    parser.add_argument("--ping-interval", type=float, default=1000)
    parser.add_argument("--ping-timeout", type=float, default=20_000)
    parser.add_argument("--lifeline")
    return parser.parse_args()


def settings(chosen):
    """The options as both servers take them; everything else is left as it is by default."""
    return {
        "transports": chosen.transports.split(","),
        "ping_interval": chosen.ping_interval / 1000,
        "ping_timeout": chosen.ping_timeout / 1000,
    }


def listener(chosen):
    """A listening socket; only then is it said where."""
    listening = socket.create_server(("127.0.0.1", chosen.port), backlog=128)
    print(f"listening on 127.0.0.1:{listening.getsockname()[1]}", flush=True)
    if chosen.lifeline:
        threading.Thread(target=end_with_stdin, daemon=True).start()
    return listening


def end_with_stdin():
    sys.stdin.buffer.read()
    os._exit(0)


def admit(namespace, auth):
    """What the guard of a namespace learns."""
    if namespace == "/deny":
        raise ConnectionRefusedError("not allowed", {"code": 7})
    if namespace == "/auth":
        if not isinstance(auth, dict) or auth.get("token") != "secret":
            raise ConnectionRefusedError("invalid token")
        return {"user": "ada"}
    return {}


def gone(sid):
    return f"gone:{sid}"
