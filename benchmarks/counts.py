"""How much is measured: enough for a stable median, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Bounds of a run.

    Attributes:
        rounds: Repetitions of each side.
        calls: Small calls in a repetition.
        transfers: Octets calls in a repetition.
        octets_rounds: Repetitions of each side with octets.
        channel_rounds: Repetitions of each side with events.
        events: Events in a repetition; no more than the channel holds for late readers.
        consumers: The numbers of consumers that are tried.
        deliveries: Deliveries of a burst at most: many consumers get fewer events.
        steady_rate: Events in a second, at a steady rate.
        steady_s: For how long, in seconds.
        subscribers: Consumers that are subscribed at a low rate.
        subscribed_rate: This rate, events in a second.
        subscribed_s: For how long, in seconds.
        log_records_per_min: Log records of one program in a minute.
        log_s: For how long, in seconds.
        alarms: Alarms of a flood.
        alarm_rounds: Floods.
        held: Events that are held for late readers.
        starts: Starts of an installation.
        rest_s: How long the rest of an installation is watched, in seconds.
        demos: Runs of the demonstration.
        clients: The numbers of clients that are tried.
        clients_s: How long they call in a repetition, in seconds.
        clients_rounds: Repetitions of each side with many clients.
        crowd: Idle connections, and as many parked long-polls.
        crowd_s: How long the crowd is watched, and called beside, in seconds.
        crowd_rounds: Crowds of each side.
        connects: Connections that are made in a repetition.
        tls_calls: Calls in a repetition with TLS.
        tls_rounds: Repetitions of each side with TLS.
        many: Hundreds of calls in a repetition of batches and awaited calls.
        many_rounds: Repetitions of these.
        names: Names of a name server that has many.
        binds: Durable binds in a repetition.
        bind_rounds: Repetitions of these.
        acquisitions: Small acquisitions in a repetition.
        acquisition_rounds: Repetitions of these, and of starts.
        frame_rounds: Acquisitions of a large frame; with one alone the frame is small, too.
        started: Sources that are started at once.
        prepare_s: What the slowest of them needs to be ready, in seconds.
        active: Acquisitions that are active while the status is asked.
        active_s: For how long, in seconds.
        most_active: Acquisitions that are active when memory is told.
        merge_mib: Size of an extension that is merged, in MiB.
        merge_rounds: Merges of each side.
        long_cards: Keywords of a header that is very long; 360 000 are taken.
        large_mib: Size of the extensions whose merge must not need more memory, in MiB.
        event_file_mib: Size of an event file that is written, in MiB.
        event_file_rounds: Files of each side, and recoveries.
        recovered_mib: Size of the event file that is recovered, in MiB.
        streams: Event streams of a run.
        stream_rounds: How often each of them is given events.
        logger_mib: Events that a logger is given in a repetition, in MiB.
        logger_rounds: Repetitions of these.
    """

    rounds: int
    calls: int
    transfers: int
    octets_rounds: int
    channel_rounds: int
    events: int
    consumers: tuple[int, ...]
    deliveries: int
    steady_rate: float
    steady_s: float
    subscribers: int
    subscribed_rate: float
    subscribed_s: float
    log_records_per_min: float
    log_s: float
    alarms: int
    alarm_rounds: int
    held: int
    starts: int
    rest_s: float
    demos: int
    clients: tuple[int, ...]
    clients_s: float
    clients_rounds: int
    crowd: int
    crowd_s: float
    crowd_rounds: int
    connects: int
    tls_calls: int
    tls_rounds: int
    many: int
    many_rounds: int
    names: int
    binds: int
    bind_rounds: int
    acquisitions: int
    acquisition_rounds: int
    frame_rounds: int
    started: int
    prepare_s: float
    active: int
    active_s: float
    most_active: int
    merge_mib: int
    merge_rounds: int
    large_mib: int
    event_file_mib: int
    event_file_rounds: int
    recovered_mib: int
    long_cards: int
    streams: int
    stream_rounds: int
    logger_mib: int
    logger_rounds: int


FULL = Counts(
    rounds=11,
    calls=3000,
    transfers=200,
    octets_rounds=7,
    channel_rounds=3,
    events=100_000,
    consumers=(1, 4, 16, 64),
    deliveries=400_000,
    steady_rate=20_000.0,
    steady_s=60.0,
    subscribers=500,
    subscribed_rate=100.0,
    subscribed_s=10.0,
    log_records_per_min=50_000.0,
    log_s=15.0,
    alarms=1000,
    alarm_rounds=3,
    held=1_000_000,
    starts=3,
    rest_s=10.0,
    demos=1,
    clients=(1, 16, 64, 256),
    clients_s=1.0,
    clients_rounds=3,
    crowd=500,
    crowd_s=2.0,
    crowd_rounds=3,
    connects=30,
    tls_calls=2000,
    tls_rounds=5,
    many=20,
    many_rounds=7,
    names=10_000,
    binds=500,
    bind_rounds=5,
    acquisitions=10,
    acquisition_rounds=3,
    frame_rounds=5,
    started=20,
    prepare_s=0.5,
    active=200,
    active_s=5.0,
    most_active=500,
    merge_mib=64,
    merge_rounds=5,
    large_mib=4096,
    event_file_mib=512,
    event_file_rounds=3,
    recovered_mib=2048,
    long_cards=359_000,
    streams=1000,
    stream_rounds=10,
    logger_mib=256,
    logger_rounds=3,
)

QUICK = Counts(
    rounds=1,
    calls=50,
    transfers=5,
    octets_rounds=1,
    channel_rounds=1,
    events=500,
    consumers=(1, 2),
    deliveries=800,
    steady_rate=500.0,
    steady_s=0.6,
    subscribers=20,
    subscribed_rate=50.0,
    subscribed_s=0.4,
    log_records_per_min=6000.0,
    log_s=0.3,
    alarms=60,
    alarm_rounds=1,
    held=400,
    starts=1,
    rest_s=0.5,
    demos=0,
    clients=(1, 4),
    clients_s=0.1,
    clients_rounds=1,
    crowd=20,
    crowd_s=0.2,
    crowd_rounds=1,
    connects=3,
    tls_calls=20,
    tls_rounds=1,
    many=1,
    many_rounds=1,
    names=50,
    binds=10,
    bind_rounds=1,
    acquisitions=1,
    acquisition_rounds=1,
    frame_rounds=1,
    started=3,
    prepare_s=0.05,
    active=4,
    active_s=0.3,
    most_active=8,
    merge_mib=1,
    merge_rounds=1,
    large_mib=8,
    event_file_mib=1,
    event_file_rounds=1,
    recovered_mib=8,
    long_cards=1_000,
    streams=10,
    stream_rounds=2,
    logger_mib=1,
    logger_rounds=1,
)
