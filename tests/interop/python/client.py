"""python-socketio's Client against the app `interop`: python client.py URL polling|websocket|upgrade"""

import queue
import sys
import time

import engineio
import socketio

from checks import AUTH, LARGE_BYTES, LARGE_TEXT, TRANSPORTS, VALUES, failed, order, passed, tree

URL, MODE = sys.argv[1:]
WITHIN = 10  # seconds
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class InOrder(engineio.Client):
    """By default every message is handled on a thread of its own. On a busy machine an attachment then overtakes
    the packet it belongs to, and the client loses both. A DISCONNECT keeps its thread: it waits for the reader."""

    def _trigger_event(self, event, *arguments, run_async=False, **options):
        in_place = event == "message" and arguments[0][:1] != "1"
        return super()._trigger_event(event, *arguments, run_async=run_async and not in_place, **options)


class Client(socketio.Client):
    def _engineio_client_class(self):
        return InOrder


class Peer:
    """A client that keeps what it hears, by namespace and event, until a check asks for it."""

    def __init__(self, *namespaces):
        self.client = Client(reconnection_delay=0.05, reconnection_delay_max=0.2)
        self.namespaces = namespaces or ("/",)
        self.heard = {}
        self.answer = lambda *question: question
        for namespace in self.namespaces:
            self.client.on("question", lambda *question: self.answer(*question), namespace=namespace)
            for event in ["connect", "disconnect", "connect_error"]:
                self.client.on(event, self.keep(namespace, event), namespace=namespace)
            for event in ["welcome", "echo", "answer", "no-answer", "said", "announced", "gone"]:
                self.client.on(event, self.keep(namespace, event), namespace=namespace)

    def keep(self, namespace, event):
        return lambda *arguments: self.queue(event, namespace).put(list(arguments))

    def queue(self, event, namespace):
        return self.heard.setdefault((namespace, event), queue.Queue())

    def connect(self, auth=None):
        self.client.connect(
            URL, auth=auth, namespaces=list(self.namespaces), transports=TRANSPORTS[MODE], wait_timeout=WITHIN
        )
        return self

    def next(self, event, namespace="/"):
        try:
            return self.queue(event, namespace).get(timeout=WITHIN)
        except queue.Empty:
            raise TimeoutError(f"waited {WITHIN} s for {event}") from None

    def call(self, event, *arguments, namespace="/"):
        return self.client.call(event, arguments, namespace=namespace, timeout=WITHIN)


main = Peer()


@check
def connect():
    main.connect(AUTH)
    [welcome] = main.next("welcome")
    assert welcome == {"sid": main.client.get_sid(), "auth": AUTH}, welcome


@check
def transport():
    assert main.client.transport() == ("polling" if MODE == "polling" else "websocket")


@check
def echo():
    main.client.emit("echo", tuple(VALUES))
    assert main.next("echo") == VALUES
    main.client.emit("echo", ())
    assert main.next("echo") == []


@check
def echo_binary():
    main.client.emit("echo", (tree(), b"tail"))
    assert main.next("echo") == [tree(), b"tail"]


@check
def ack_from_server():
    assert main.call("echo-ack", 1, "two", {"three": 3}) == (1, "two", {"three": 3})
    assert main.call("echo-ack", tree()) == tree()


@check
def ack_that_never_comes():
    try:
        main.client.call("no-such-event", 1, timeout=0.2)
    except socketio.exceptions.TimeoutError:
        return
    raise AssertionError("an event without a handler was acknowledged")


@check
def ack_to_server():
    main.answer = lambda question: (question, "and", {"more": [1]})
    main.client.emit("ask", {"what": "?"})
    assert main.next("answer") == [{"what": "?"}, "and", {"more": [1]}]
    main.answer = lambda question: {"mirrored": question}
    main.client.emit("ask", tree())
    assert main.next("answer") == [{"mirrored": tree()}]


@check
def ack_to_server_that_comes_late():
    main.answer = lambda question: time.sleep(0.6)
    main.client.emit("ask-briefly", "anyone?")
    assert main.next("no-answer") == []


@check
def keeps_order():
    for number in range(300):
        main.client.emit("echo", number)
    assert [main.next("echo") for _ in range(300)] == [[number] for number in range(300)]


@check
def large_values():
    assert main.call("echo-ack", LARGE_TEXT) == LARGE_TEXT
    assert main.call("echo-ack", LARGE_BYTES) == LARGE_BYTES


@check
def namespaces_share_the_connection():
    peer = Peer("/", "/custom").connect()
    assert peer.next("welcome")[0]["sid"] == peer.client.get_sid("/")
    assert peer.next("welcome", "/custom")[0]["sid"] == peer.client.get_sid("/custom")
    peer.client.emit("echo", tree(), namespace="/custom")
    assert peer.next("echo", "/custom") == [tree()]
    assert peer.call("echo-ack", "here", namespace="/") == "here"
    assert peer.queue("echo", "/").empty()
    peer.client.disconnect()


def refused(namespace, auth=None):
    """What the server said when it refused; python-socketio gives it to the handler of connect_error."""
    peer = Peer(namespace)
    try:
        peer.connect(auth)
    except socketio.exceptions.ConnectionError:
        [answer] = peer.next("connect_error", namespace)
        return answer
    finally:
        peer.client.disconnect()
    raise AssertionError(f"{namespace} was not refused")


@check
def refusal():
    answer = refused("/deny")
    assert answer == {"message": "not allowed", "data": {"code": 7}}, answer


@check
def unknown_namespace():
    answer = refused("/nowhere")
    assert answer == {"message": "Invalid namespace"}, answer


@check
def guard():
    peer = Peer("/auth").connect({"token": "secret"})
    assert peer.next("welcome", "/auth")[0]["user"] == "ada"
    peer.client.disconnect()
    answer = refused("/auth", {"token": "wrong"})
    assert answer == {"message": "invalid token"}, answer


@check
def rooms():
    left, right, outside = (Peer().connect() for _ in range(3))
    left.call("join", "blue")
    right.call("join", "blue")
    left.call("say", "blue", "to the others")
    assert right.next("said") == ["blue", "to the others"]
    left.call("shout", "blue", tree())
    assert left.next("said") == ["blue", tree()]
    assert right.next("said") == ["blue", tree()]
    right.call("leave", "blue")
    outside.call("say", "blue", "from outside")
    assert left.next("said") == ["blue", "from outside"]
    for peer in (left, right, outside):
        peer.call("echo-ack", "flush")
        assert peer.queue("said", "/").empty()
    left.client.emit("announce", "everyone")
    for peer in (main, left, right, outside):
        assert peer.next("announced") == ["everyone"]
    for peer in (left, right, outside):
        peer.client.disconnect()


@check
def disconnect_by_server():
    peer = Peer().connect()
    peer.next("connect")
    peer.client.emit("disconnect-me")
    assert peer.next("disconnect") == ["server disconnect"]


@check
def disconnect_by_client():
    peer = Peer().connect()
    sid = peer.client.get_sid()
    main.call("watch", sid)
    peer.client.disconnect()
    assert main.next("gone") == [sid]


@check
def reconnects_after_a_restart():
    former = main.client.get_sid()
    order("stop-server")
    main.next("disconnect")
    order("start-server")
    [welcome] = main.next("welcome")
    assert welcome["sid"] != former and welcome["auth"] == AUTH, welcome
    assert main.call("echo-ack", tree()) == tree()
    main.client.disconnect()


for function in CHECKS:
    try:
        function()
        passed(function.__name__)
    except Exception as error:
        failed(function.__name__, error)
print("done", flush=True)
