"""Connections read ahead and still give exactly what is asked for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import Pyro5.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.mapping.connection import Connection


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, Connection]]:
    """A plain peer and a connection to it."""
    one, other = socket.socketpair()
    with one, Connection(other) as connection:
        yield one, connection


@given(sizes=st.lists(st.sampled_from([0, 1, 6, 34, 500, 8191, 8192, 8193, 30_000]), max_size=12))
def test_every_read_gives_the_next_bytes_of_the_stream(sizes: list[int]) -> None:
    """However the sizes mix, small ones from what was read ahead and large ones directly."""
    one, other = socket.socketpair()
    sent = bytes(at * 7 % 251 for at in range(sum(sizes)))
    with one, Connection(other) as connection:
        sender = threading.Thread(target=one.sendall, args=(sent,))
        sender.start()
        received = [bytes(connection.recv(size)) for size in sizes]
        sender.join()
    assert [len(each) for each in received] == sizes
    assert b"".join(received) == sent


def test_large_messages_arrive_whole_one_behind_the_other(
    pair: tuple[socket.socket, Connection],
) -> None:
    """Whatever was read ahead of them, and though they do not fit into the socket's buffer."""
    peer, connection = pair
    messages = [bytes([number]) * 40 + bytes(range(256)) * 10_000 for number in range(4)]
    sender = threading.Thread(target=peer.sendall, args=(b"".join(messages),))
    sender.start()
    received = [
        b"".join(bytes(connection.recv(size)) for size in (6, 34, 2_560_000)) for _ in messages
    ]
    sender.join()
    assert received == messages


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_peer_that_closes_in_the_middle_is_told(
    size: int, pair: tuple[socket.socket, Connection]
) -> None:
    """A part of a message is never given as if it were all."""
    peer, connection = pair
    peer.sendall(b"part")
    peer.close()
    with pytest.raises(Pyro5.errors.ConnectionClosedError):
        connection.recv(size)


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_silent_peer_is_told_as_a_timeout(
    size: int, pair: tuple[socket.socket, Connection]
) -> None:
    """When the connection has a time limit."""
    _, connection = pair
    connection.timeout = 0.01
    with pytest.raises(Pyro5.errors.TimeoutError):
        connection.recv(size)


def test_sending_to_a_peer_that_is_gone_is_told(pair: tuple[socket.socket, Connection]) -> None:
    """Not as a plain error of the socket, which Pyro5 does not know."""
    peer, connection = pair
    peer.close()
    with pytest.raises(Pyro5.errors.ConnectionClosedError):
        connection.send(b"too late" * 10_000)


def test_another_connection_goes_on_with_the_socket(
    pair: tuple[socket.socket, Connection],
) -> None:
    """And the one before does not close it when it is forgotten."""
    peer, connection = pair
    taken = Connection.taking_over(connection)
    connection.close()
    peer.sendall(b"hello")
    assert taken.recv(5) == b"hello"
    taken.close()
