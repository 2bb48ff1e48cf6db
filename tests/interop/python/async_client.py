"""python-socketio's AsyncClient against the app `interop`: python async_client.py URL polling|websocket|upgrade"""

import asyncio
import sys

import socketio

from checks import AUTH, LARGE_BYTES, LARGE_TEXT, TRANSPORTS, VALUES, failed, order, passed, tree

URL, MODE = sys.argv[1:]
WITHIN = 10  # seconds
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class Peer:
    """A client that keeps what it hears, by namespace and event, until a check asks for it."""

    def __init__(self, *namespaces):
        self.client = socketio.AsyncClient(reconnection_delay=0.05, reconnection_delay_max=0.2)
        self.namespaces = namespaces or ("/",)
        self.heard = {}
        self.answer = self.mirror
        for namespace in self.namespaces:
            self.client.on("question", self.question, namespace=namespace)
            for event in ["connect", "disconnect", "connect_error"]:
                self.client.on(event, self.keep(namespace, event), namespace=namespace)
            for event in ["welcome", "echo", "answer", "no-answer", "said", "announced", "gone"]:
                self.client.on(event, self.keep(namespace, event), namespace=namespace)

    async def mirror(self, question):
        return {"mirrored": question}

    async def question(self, question):
        return await self.answer(question)

    def keep(self, namespace, event):
        async def handler(*arguments):
            self.queue(event, namespace).put_nowait(list(arguments))

        return handler

    def queue(self, event, namespace):
        return self.heard.setdefault((namespace, event), asyncio.Queue())

    async def connect(self, auth=None):
        await self.client.connect(
            URL, auth=auth, namespaces=list(self.namespaces), transports=TRANSPORTS[MODE], wait_timeout=WITHIN
        )
        return self

    async def next(self, event, namespace="/"):
        try:
            return await asyncio.wait_for(self.queue(event, namespace).get(), WITHIN)
        except asyncio.TimeoutError:
            raise TimeoutError(f"waited {WITHIN} s for {event}") from None

    async def call(self, event, *arguments, namespace="/"):
        return await self.client.call(event, arguments, namespace=namespace, timeout=WITHIN)


@check
async def connect(main):
    await main.connect(AUTH)
    [welcome] = await main.next("welcome")
    assert welcome == {"sid": main.client.get_sid(), "auth": AUTH}, welcome


@check
async def transport(main):
    assert main.client.transport() == ("polling" if MODE == "polling" else "websocket")


@check
async def echo(main):
    await main.client.emit("echo", tuple(VALUES))
    assert await main.next("echo") == VALUES


@check
async def echo_binary(main):
    await main.client.emit("echo", (tree(), b"tail"))
    assert await main.next("echo") == [tree(), b"tail"]


@check
async def ack_from_server(main):
    assert await main.call("echo-ack", 1, "two", {"three": 3}) == (1, "two", {"three": 3})
    assert await main.call("echo-ack", tree()) == tree()


@check
async def acks_in_parallel(main):
    answers = await asyncio.gather(*(main.call("echo-ack", number) for number in range(200)))
    assert answers == list(range(200))


@check
async def ack_to_server(main):
    await main.client.emit("ask", tree())
    assert await main.next("answer") == [{"mirrored": tree()}]


@check
async def ack_to_server_that_comes_late(main):
    async def late(question):
        await asyncio.sleep(0.6)

    main.answer = late
    await main.client.emit("ask-briefly", "anyone?")
    assert await main.next("no-answer") == []


@check
async def large_values(main):
    assert await main.call("echo-ack", LARGE_TEXT) == LARGE_TEXT
    assert await main.call("echo-ack", LARGE_BYTES) == LARGE_BYTES


@check
async def namespaces_share_the_connection(main):
    peer = await Peer("/", "/custom").connect()
    assert (await peer.next("welcome"))[0]["sid"] == peer.client.get_sid("/")
    assert (await peer.next("welcome", "/custom"))[0]["sid"] == peer.client.get_sid("/custom")
    await peer.client.emit("echo", tree(), namespace="/custom")
    assert await peer.next("echo", "/custom") == [tree()]
    assert await peer.call("echo-ack", "here", namespace="/") == "here"
    assert peer.queue("echo", "/").empty()
    await peer.client.disconnect()


async def refused(namespace, auth=None):
    """What the server said when it refused; python-socketio gives it to the handler of connect_error."""
    peer = Peer(namespace)
    try:
        await peer.connect(auth)
    except socketio.exceptions.ConnectionError:
        [answer] = await peer.next("connect_error", namespace)
        return answer
    finally:
        await peer.client.disconnect()
    raise AssertionError(f"{namespace} was not refused")


@check
async def refusal(main):
    answer = await refused("/deny")
    assert answer == {"message": "not allowed", "data": {"code": 7}}, answer


@check
async def unknown_namespace(main):
    answer = await refused("/nowhere")
    assert answer == {"message": "Invalid namespace"}, answer


@check
async def guard(main):
    peer = await Peer("/auth").connect({"token": "secret"})
    assert (await peer.next("welcome", "/auth"))[0]["user"] == "ada"
    await peer.client.disconnect()
    answer = await refused("/auth", {"token": "wrong"})
    assert answer == {"message": "invalid token"}, answer


@check
async def rooms(main):
    left, right = await Peer().connect(), await Peer().connect()
    await left.call("join", "blue")
    await right.call("join", "blue")
    await left.call("say", "blue", "to the others")
    assert await right.next("said") == ["blue", "to the others"]
    await left.call("shout", "blue", tree())
    assert await left.next("said") == ["blue", tree()]
    assert await right.next("said") == ["blue", tree()]
    await right.call("leave", "blue")
    await main.call("say", "blue", "from outside")
    assert await left.next("said") == ["blue", "from outside"]
    for peer in (left, right, main):
        await peer.call("echo-ack", "flush")
        assert peer.queue("said", "/").empty()
    await left.client.emit("announce", "everyone")
    for peer in (main, left, right):
        assert await peer.next("announced") == ["everyone"]
    for peer in (left, right):
        await peer.client.disconnect()


@check
async def disconnect_by_server(main):
    peer = await Peer().connect()
    await peer.next("connect")
    await peer.client.emit("disconnect-me")
    assert await peer.next("disconnect") == ["server disconnect"]


@check
async def disconnect_by_client(main):
    peer = await Peer().connect()
    sid = peer.client.get_sid()
    await main.call("watch", sid)
    await peer.client.disconnect()
    assert await main.next("gone") == [sid]


@check
async def reconnects_after_a_restart(main):
    former = main.client.get_sid()
    await asyncio.to_thread(order, "stop-server")
    await main.next("disconnect")
    await asyncio.to_thread(order, "start-server")
    [welcome] = await main.next("welcome")
    assert welcome["sid"] != former and welcome["auth"] == AUTH, welcome
    assert await main.call("echo-ack", tree()) == tree()
    await main.client.disconnect()


async def run():
    main = Peer()
    for function in CHECKS:
        try:
            await function(main)
            passed(function.__name__)
        except Exception as error:
            failed(function.__name__, error)
    print("done", flush=True)


asyncio.run(run())
