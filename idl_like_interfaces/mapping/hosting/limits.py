"""What a daemon allows its peers, so that none of them is served at another one's cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of one daemon.

    Attributes:
        workers: Calls that are executed at the same time; more of them wait their turn.
            A parked long-poll takes none.
        connections: Open connections; of the address that has most of them, the one that
            was idle for longest makes room for one more.
        half_open: Connections of one address that have not shaken hands; the oldest makes room.
        handshake_s: Within this time a connection must have shaken hands, TLS included.
        message_s: Within this time a message that has begun must have come whole.
        reply_s: Within this time a peer must have taken each part of a reply.
        stay_s: So long a worker waits for the next request of a connection that it has
            just served, while nobody else needs it.
        kept_bytes: Memory for all parts of messages and of replies that wait for their
            peers; who has waited for longest makes room. And as much again for whole
            messages that wait for a worker; more of them are refused.
    """

    workers: int = 64
    connections: int = 4000
    half_open: int = 512
    handshake_s: float = 3.0
    message_s: float = 10.0
    reply_s: float = 10.0
    stay_s: float = 0.005
    kept_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a daemon has to do just now.

    Attributes:
        connections: Open ones.
        half_open: Of these, not yet greeted.
        parked: Long-polls that wait for news.
        threads: Of the pool.
        executing: Calls that are being executed.
        waiting: Calls that wait for a worker.
    """

    connections: int
    half_open: int
    parked: int
    threads: int
    executing: int
    waiting: int
