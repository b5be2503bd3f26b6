"""A disk that is slow on command, for real processes: a library before that of the system."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_SOURCE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static void hold(int descriptor)
{
    const char *folder = getenv("SLOW_FOLDER"), *gate = getenv("SLOW_GATE");
    char link[64], path[PATH_MAX];
    ssize_t size;
    if (!folder || !gate || access(gate, F_OK))
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    size = readlink(link, path, sizeof path - 1);
    if (size <= 0)
        return;
    path[size] = 0;
    if (!strncmp(path, folder, strlen(folder)))
        usleep(1000 * atoi(getenv("SLOW_MS")));
}

#define SLOWED(result, name, parameters, arguments)               \\
    result name parameters                                        \\
    {                                                             \\
        static result (*real) parameters;                         \\
        if (!real)                                                \\
            real = (result (*) parameters) dlsym(RTLD_NEXT, #name); \\
        hold(fd);                                                 \\
        return real arguments;                                    \\
    }

SLOWED(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n))
SLOWED(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
SLOWED(ssize_t, pwrite64, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o))
SLOWED(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off_t o), (fd, v, n, o))
SLOWED(int, fsync, (int fd), (fd))
SLOWED(int, fdatasync, (int fd), (fd))
"""


class SlowDisk:
    """A folder below which each write and sync takes its time.

    Args:
        folder: Which.
        scratch: For the library.
        each_s: So long each takes while it is slow.

    Attributes:
        environment: With which a process must be started.
    """

    def __init__(self, folder: Path, scratch: Path, each_s: float) -> None:
        self._gate = scratch / "slow.gate"
        self.environment = {
            **os.environ,
            "LD_PRELOAD": str(_compiled(scratch)),
            "SLOW_FOLDER": str(folder),
            "SLOW_GATE": str(self._gate),
            "SLOW_MS": str(round(1000 * each_s)),
        }

    def slow_down(self) -> None:
        """Have it be slow from now on."""
        self._gate.touch()

    def speed_up(self) -> None:
        """Have it be as fast as it is."""
        self._gate.unlink(missing_ok=True)


def _compiled(scratch: Path) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("there is no C compiler, and without one no disk can be made slow here")
    source, library = scratch / "slow_disk.c", scratch / "slow_disk.so"
    source.write_text(_SOURCE)
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{compiler} makes no library that slows a disk: {done.stderr[-300:]}")
    return library
