"""Program that cuts itself off from every network and then becomes the command it was given.

Run as `python -I -S isolation.py PORT COMMAND...`; PORT is `-` for a command that serves nothing.
What remains is a loopback interface of its own. A server is reached through a child that passes
connections on: its listening socket was opened before, so it still belongs to the outer network.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
import threading

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
SIOCSIFFLAGS = 0x8914
UP_AND_RUNNING = 0x41
NOT_ALLOWED = 125
NOT_FOUND = 127
CHUNK_BYTES = 1 << 16

LIBC = ctypes.CDLL(None, use_errno=True)


def cut_off() -> None:
    """Move to a network without anything in it; without privileges, as one's own small root."""
    user, group = os.getuid(), os.getgid()
    if LIBC.unshare(CLONE_NEWNET) == 0:
        return
    if LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1")):
        write(name, text)
    write("gid_map", f"{group} {group} 1")


def write(name: str, text: str) -> None:
    """Describe this process's user namespace to the kernel."""
    with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123  a quick start matters here
        file.write(text)


def start_loopback() -> None:
    """Let the command speak to itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14s", b"lo", UP_AND_RUNNING, b"")
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def die_with_parent() -> None:
    """Be killed with the parent; the kernel forgets this when a process changes its privileges."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def pass_connections(listener: socket.socket, port: int) -> None:
    """Connect every client of the outer network with the server in here, for ever."""
    while True:
        client, _ = listener.accept()
        threading.Thread(target=pass_connection, args=(client, port), daemon=True).start()


def pass_connection(client: socket.socket, port: int) -> None:
    """Pass on what both sides say until both have ended; a server not yet up ends the client."""
    reached = contextlib.suppress(ConnectionError)
    with client, reached, socket.create_connection(("127.0.0.1", port)) as server:
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=pump, args=(server, client), daemon=True)
        back.start()
        pump(client, server)
        back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on one direction."""
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK_BYTES):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def serve_outside(listener: socket.socket, port: int) -> None:
    """Start the child that passes connections on."""
    parent = os.getpid()
    if os.fork() != 0:
        listener.close()
        return
    die_with_parent()
    if os.getppid() == parent:
        pass_connections(listener, port)
    os._exit(1)


def main(arguments: list[str]) -> int:
    """Cut the network off and become the command."""
    port, *command = arguments
    listener = socket.create_server(("127.0.0.1", int(port))) if port != "-" else None
    try:
        cut_off()
        start_loopback()
    except OSError as error:
        sys.stderr.write(f"network isolation: {error.strerror}\n")
        return NOT_ALLOWED
    die_with_parent()
    if listener:
        serve_outside(listener, int(port))
    try:
        os.execvp(command[0], command)  # noqa: S606 - the command is the point
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return NOT_FOUND


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
