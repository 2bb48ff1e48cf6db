"""The app `interop` on python-socketio's AsyncServer and uvicorn: python server_async.py --port N"""

import asyncio

import socketio
import uvicorn

from app import NAMESPACES, PATIENCE, admit, gone, listener, options, settings

chosen = options()
server = socketio.AsyncServer(async_mode="asgi", **settings(chosen))
auths, notes = {}, []


def welcome(namespace):
    async def connect(sid, environ, auth=None):
        learned = admit(namespace, auth)
        auths[sid] = auth
        await server.emit("welcome", {"sid": sid, "auth": auth, **learned}, to=sid, namespace=namespace)

    return connect


def asker(namespace, patience):
    async def ask(sid, *question):
        answer = asyncio.get_running_loop().create_future()

        def answered(*arguments):
            if not answer.done():
                answer.set_result(arguments)

        await server.emit("question", question, to=sid, namespace=namespace, callback=answered)
        try:
            arguments = await asyncio.wait_for(answer, patience)
        except asyncio.TimeoutError:
            await server.emit("no-answer", (), to=sid, namespace=namespace)
        else:
            await server.emit("answer", arguments, to=sid, namespace=namespace)

    return ask


def events(namespace):
    """The events that every namespace has; what is returned answers the ack."""

    def on(handler):
        name = handler.__name__.replace("_", "-")
        server.on(name, handler, namespace=namespace)

    async def emit(event, *arguments, **target):
        await server.emit(event, arguments, namespace=namespace, **target)

    server.on("connect", welcome(namespace), namespace=namespace)
    for name, patience in PATIENCE.items():
        server.on(name, asker(namespace, patience), namespace=namespace)

    @on
    async def echo(sid, *arguments):
        await emit("echo", *arguments, to=sid)

    @on
    async def echo_ack(sid, *arguments):
        return arguments

    @on
    async def join(sid, room):
        await server.enter_room(sid, room, namespace)

    @on
    async def leave(sid, room):
        await server.leave_room(sid, room, namespace)

    @on
    async def say(sid, room, value):
        await emit("said", room, value, room=room, skip_sid=sid)

    @on
    async def shout(sid, room, value):
        await emit("said", room, value, room=room)

    @on
    async def announce(sid, value):
        await emit("announced", value)

    @on
    async def watch(sid, other):
        await server.enter_room(sid, gone(other), namespace)

    @on
    async def whoami(sid):
        return (auths.get(sid),)

    @on
    async def note(sid, number):
        notes.append(number)
        return number

    async def notes_so_far(sid):
        return (notes,)

    server.on("notes", notes_so_far, namespace=namespace)

    @on
    async def disconnect_me(sid):
        await server.disconnect(sid, namespace)

    @on
    async def disconnect(sid, *reason):
        auths.pop(sid, None)
        await emit("gone", sid, room=gone(sid))


for name in NAMESPACES:
    events(name)
server.on("connect", welcome("/deny"), namespace="/deny")
listening = listener(chosen)
uvicorn.Server(uvicorn.Config(socketio.ASGIApp(server), log_level="critical", access_log=False)).run(sockets=[listening])
