"""The app `interop` on python-socketio's Server, one thread for each request: python server_threads.py --port N"""

import threading

import socketio
from werkzeug.serving import WSGIRequestHandler, make_server

from app import NAMESPACES, PATIENCE, admit, gone, listener, options, settings

chosen = options()
# Handlers run in order on the connection's thread; each on a thread of its own would lose the order of events.
server = socketio.Server(async_mode="threading", async_handlers=False, **settings(chosen))
auths, notes = {}, []


def welcome(namespace):
    def connect(sid, environ, auth=None):
        learned = admit(namespace, auth)
        auths[sid] = auth
        server.emit("welcome", {"sid": sid, "auth": auth, **learned}, to=sid, namespace=namespace)

    return connect


def asker(namespace, patience):
    """`Server.call` would wait on the thread that has to read the answer."""

    def ask(sid, *question):
        lock, told = threading.Lock(), []

        def tell(event, arguments):
            with lock:
                if told:
                    return
                told.append(event)
            server.emit(event, arguments, to=sid, namespace=namespace)

        late = threading.Timer(patience, tell, ("no-answer", ()))
        late.daemon = True
        late.start()

        def answered(*answer):
            late.cancel()
            tell("answer", answer)

        server.emit("question", question, to=sid, namespace=namespace, callback=answered)

    return ask


def events(namespace):
    """The events that every namespace has; what is returned answers the ack."""

    def on(name):
        return lambda handler: server.on(name, handler, namespace=namespace)

    def emit(event, *arguments, **target):
        server.emit(event, arguments, namespace=namespace, **target)

    server.on("connect", welcome(namespace), namespace=namespace)
    for name, patience in PATIENCE.items():
        server.on(name, asker(namespace, patience), namespace=namespace)
    on("echo")(lambda sid, *arguments: emit("echo", *arguments, to=sid))
    on("echo-ack")(lambda sid, *arguments: arguments)
    on("join")(lambda sid, room: server.enter_room(sid, room, namespace))
    on("leave")(lambda sid, room: server.leave_room(sid, room, namespace))
    on("say")(lambda sid, room, value: emit("said", room, value, room=room, skip_sid=sid))
    on("shout")(lambda sid, room, value: emit("said", room, value, room=room))
    on("announce")(lambda sid, value: emit("announced", value))
    on("watch")(lambda sid, other: server.enter_room(sid, gone(other), namespace))
    on("whoami")(lambda sid: (auths.get(sid),))
    on("notes")(lambda sid: (notes,))
    on("disconnect-me")(lambda sid: server.disconnect(sid, namespace))

    @on("note")
    def note(sid, number):
        notes.append(number)
        return number

    @on("disconnect")
    def disconnect(sid, *reason):
        auths.pop(sid, None)
        emit("gone", sid, room=gone(sid))


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open between requests

    def log(self, *_):
        pass


for name in NAMESPACES:
    events(name)
server.on("connect", welcome("/deny"), namespace="/deny")
listening = listener(chosen)
make_server(
    "127.0.0.1", 0, socketio.WSGIApp(server), threaded=True, request_handler=Quiet, fd=listening.fileno()
).serve_forever()
