"""A start after a crash: replay the journal, make the files whole, take up the runs."""

from __future__ import annotations

import logging

from idl_like_interfaces.event_logger import UNASSIGNED, CommandRefused, FileState, LoggerInit
from objects.logger_stream.core import Core
from objects.logger_stream.leftovers import Leftovers, count_once, take_up
from objects.logger_stream.listening import RunListener
from objects.logger_stream.logger import Logger
from objects.logger_stream.memory import Ended, RememberedRun
from objects.logger_stream.orphan_files import close_left
from objects.logger_stream.orphans import ORPHANS
from objects.logger_stream.run import ActiveRun
from objects.logger_stream.senders import Recovered

log = logging.getLogger(__name__)

RESTORED = "taken up after a restart: run control has not said yet that it goes on"


def restore(core: Core, logger: Logger) -> None:
    """Take up all that the journal tells; the event server is opened later.

    Args:
        core: What the logger is made of.
        logger: Follows commands.
    """
    memory = core.memory
    core.runs.knows(core.certificates.runs, memory.newest)
    if memory.configured is not None:
        logger.put_into_force(memory.configured.configuration)
    found: list[Recovered] = []
    for number, remembered in sorted(memory.runs.items()):
        if number in core.certificates.runs:
            core.safe.note(Ended(run=number), sync=True)
        else:
            found += _restore_run(core, remembered)
    close_left(core.site.data_root.absolute() / core.site.name / ORPHANS, core.site.clock)
    core.intake.restore(memory.senders.values(), found)
    if memory.init is not None:
        text = "the journal says %s, with %d runs"
        log.info(text, core.state, len(core.runs.active))


def open_again(core: Core, logger: Logger) -> None:
    """Open the event server if INIT has; when its port is taken it is tried again later."""
    with core.turn:
        if core.memory.init is not None and core.offered is None:
            _open(core, logger, core.memory.init)


def _open(core: Core, logger: Logger, arguments: LoggerInit) -> None:
    try:
        logger.open(arguments)
    except CommandRefused as error:
        if core.trouble != error.message:
            log.critical("FAILURE: %s", error.message)
            core.trouble = error.message
            core.alerts.failure(error.message)
    else:
        if core.trouble:
            core.trouble = ""
            core.alerts.failure("")


def _restore_run(core: Core, remembered: RememberedRun) -> list[Recovered]:
    began = remembered.began
    number = began.start.run
    names = {name for each in began.configuration.streams for name in each.parameters.volumes or ()}
    names |= set(began.configuration.defaults.volumes or ())
    marks = {each.incarnation: each.durable for each in core.memory.senders.values()}
    volumes = [each.path for each in core.volumes.of(sorted(names))]
    left = (
        take_up(number, volumes, marks, core.site.clock) if began.start.recording else Leftovers()
    )
    listener = RunListener(number, core.site, core.safe, core.alerts, remembered.told)
    run = core.maker.make(
        began.start, began.configuration, listener, core.runs.changed, left.takeovers()
    )
    run.started = began.time
    run.restore(remembered.gaps, remembered.gap_count)
    run.count(*core.memory.count(number))
    run.count(*count_once(left.tails))
    if UNASSIGNED in left.takeovers():
        run.unassigned(())
    _tell(left, listener)
    _add(core, run, remembered, listener)
    return _recovered(run, left)


def _tell(left: Leftovers, listener: RunListener) -> None:
    """Announce what was closed and not announced; say what is lost."""
    for text in left.lost:
        listener.note_lost(text)
    for files in left.finished.values():
        for file in files:
            if file.state is FileState.CLOSED:
                listener.file_closed(file)


def _add(core: Core, run: ActiveRun, remembered: RememberedRun, listener: RunListener) -> None:
    core.ender.knows(run, listener)
    core.runs.add(run)
    if remembered.is_ending:
        run.begin_end(remembered.aborted)
        core.runs.close(run)
        core.ender.begin(run)
        return
    if remembered.paused is not None:
        run.pause(remembered.paused)
    elif not core.settings.resume_alone:
        run.pause(RESTORED)
    run.is_restored = True
    log.warning("run %d was taken up: %s", run.number, run.reason or "it goes on")


def _recovered(run: ActiveRun, left: Leftovers) -> list[Recovered]:
    ids = {each.configuration.name: each.configuration.id for each in run.all_streams}
    return [
        Recovered(
            sender=tail.sender,
            run=run.number,
            stream=ids[tail.stream],
            sequences=tail.sequences.tolist(),
            sizes=tail.sizes.tolist(),
        )
        for tail in left.tails
        if tail.stream in ids
    ]
