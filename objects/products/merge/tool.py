"""The stand-alone merger as a function: a specification in, a FITS product out.

It is offered to programs under the entry point ``merge`` of the group
``obsorb.tools``; it prints nothing and tells everything through ``on_message``.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from idl_like_interfaces.checks import check_specification, shown
from idl_like_interfaces.documents import DpSpecification, FitsFileSource
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.json_text import json_value
from idl_like_interfaces.merging import MergeContent, MergeExit, MergeMessage, MergeMessageType
from idl_like_interfaces.reading import read_value
from objects.component.clock import Clock, SystemClock
from objects.products.merge.findings import collision_messages
from objects.products.merge.in_place import can_become, write_in_place
from objects.products.merge.problems import MergeProblem
from objects.products.merge.product import Product, plan_product
from objects.products.merge.telling import Messages, Watch
from objects.products.merge.writer import OnHdu, check_output, write_product

STDIN = "-"

log = logging.getLogger(__name__)


def merge(
    specification: str,
    *,
    root: Path | None = None,
    outfile: Path | None = None,
    dry_run: bool = False,
    logfile: Path | None = None,
    in_place: bool = False,
    on_message: Callable[[MergeMessage], None],
    clock: Clock | None = None,
) -> int:
    """Merge sources into a data product and return the exit code (``MergeExit``).

    No input is changed (but see ``in_place``) and no existing file replaced; when it fails,
    nothing is left but the log file.

    Args:
        specification: File with the JSON text of a ``DpSpecification``; ``-``: standard input.
        root: Where relative paths begin; ``None``: the folder of the specification if
            that is a regular file, else the current folder.
        outfile: The product; ``None``: ``{fileId}.fits``.
        dry_run: Do everything but write; then there is no log file either.
        logfile: Gets a line for each message, appended.
        in_place: The target is the caller's own: it may become the product, where its headers
            have room. What can bring it back stays beside it, see ``undo``.
        on_message: Called with each message, in this thread; the last one is of type
            ``result`` or ``error``.
        clock: Gives ``DATE`` and the times of the messages; ``None``: the system's.
    """
    base = _root(specification, root)
    with ExitStack() as stack:
        messages = Messages(on_message, clock or SystemClock())
        try:
            if logfile is not None and not dry_run:
                messages.log_file = stack.enter_context(_open_log(base / logfile))
            wanted = _read(specification)
            path = base / (outfile or f"{wanted.target.file_id}.fits")
            _make(wanted, base, path, messages, dry_run=dry_run, in_place=in_place)
        except MergeProblem as problem:
            messages.error(problem)
            return problem.code
        except Exception as error:
            # The outermost call of a program: what comes here is a bug.
            log.exception("the merge failed by a bug")
            messages.error(_bug(error))
            return MergeExit.INTERNAL
    return MergeExit.OK


def _root(specification: str, root: Path | None) -> Path:
    if root is not None:
        return root.absolute()
    if specification != STDIN and os.path.isfile(specification):  # noqa: PTH113 (never raises)
        return Path(specification).absolute().parent
    return Path.cwd()


def _open_log(path: Path) -> TextIO:
    try:
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise MergeProblem(
            f"the log file {path} cannot be written: {error.strerror}",
            code=MergeExit.INTERNAL,
            remedy="choose another with --logfile",
        ) from error


def _read(specification: str) -> DpSpecification:
    text = _read_text(specification)
    try:
        plain = json_value(text, "specification")
    except BadParam as error:
        raise _refused(specification, error, MergeExit.INVALID_JSON) from error
    try:
        wanted = read_value(DpSpecification, plain, text, "specification")
        check_specification(wanted, "specification", may_be_relative=True)
    except BadParam as error:
        raise _refused(specification, error, MergeExit.INVALID_SCHEMA) from error
    return wanted


def _refused(specification: str, error: BadParam, code: MergeExit) -> MergeProblem:
    where = "standard input" if specification == STDIN else specification
    return MergeProblem(
        f"{where}: {error.message}",
        code=code,
        cause=error.cause,
        remedy=error.remedy or "see the reference of the data product specification",
    )


def _read_text(specification: str) -> bytes:
    if specification == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(specification).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, PermissionError) or getattr(error, "errno", 0) == errno.EIO:
            raise MergeProblem(
                f"the specification {specification} cannot be read: {reason}",
                code=MergeExit.INTERNAL,
                remedy="give the merger's user read access, or look after the disk",
            ) from error
        raise MergeProblem(
            f"there is no specification file {shown(specification, 300)}: {reason}",
            code=MergeExit.NO_SPECIFICATION,
            remedy="give the name of an existing file, or - for standard input",
        ) from error


def _make(
    wanted: DpSpecification,
    root: Path,
    path: Path,
    messages: Messages,
    *,
    dry_run: bool,
    in_place: bool,
) -> None:
    _check_is_no_input(path, wanted, root)
    check_output(path)
    product = plan_product(wanted, root, messages.clock.utc())
    for alert in product.alerts:
        messages.tell(MergeMessageType.ALERT, alert)
    for content in collision_messages(product.collisions):
        messages.tell(MergeMessageType.COLLISION, content)
    if dry_run:
        content = MergeContent(
            message=f"dry run: {path} would have {len(product.hdus)} HDUs; nothing was written"
        )
    else:
        target = wanted.target.source if in_place else None
        own = root / target.location if target else None
        watch = Watch(product, messages)
        size = _write(product, path, own, watch.written)
        watch.tell()
        content = MergeContent(
            message=f"{path}: {len(product.hdus)} HDUs, {size} bytes", path=str(path)
        )
    messages.tell(MergeMessageType.RESULT, content)


def _check_is_no_input(path: Path, wanted: DpSpecification, root: Path) -> None:
    for source in (wanted.target.source, *wanted.sources):
        if isinstance(source, FitsFileSource) and os.path.exists(path):  # noqa: PTH110 (never raises)
            file = root / source.location
            if os.path.exists(file) and file.samefile(path):  # noqa: PTH110 (never raises)
                raise MergeProblem(
                    f"the output file {path} is the file of source {source.source_name}",
                    code=MergeExit.INTERNAL,
                    cause="a product is a new file, also when it has a target",
                    remedy="choose another name with --outfile",
                )


def _write(product: Product, path: Path, own: Path | None, on_hdu: OnHdu) -> int:
    """Write the product; ``own`` may become it."""
    if own is not None and can_become(own, product.hdus):
        return write_in_place(own, product.hdus, path, on_hdu)
    return write_product(product.hdus, path, on_hdu)


def _bug(error: Exception) -> MergeProblem:
    return MergeProblem(
        f"internal error: {type(error).__name__}: {error}",
        code=MergeExit.INTERNAL,
        cause="a fault in the merger",
        remedy="report it with the specification and the traceback in the log",
    )
