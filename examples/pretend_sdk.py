"""A pretend camera SDK: no vendor made it, no camera is behind it.

It has the shape that real ones have, so that the code around it (vendor_detector.py) looks
like yours will: handles, numeric return codes, parameters by name, a ring of buffers that
the driver fills from a thread of its own and that must be given back, a wait with a timeout.
The pixels are a bias level, noise and one star. ``pull_cable`` does what its name says.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

OK, TIMEOUT, NO_CAMERA, BAD_HANDLE, BAD_PARAMETER, NOT_RUNNING, DISCONNECTED = range(7)

ROWS, COLUMNS = 128, 192
_SERIALS = ("PRETEND-1", "PRETEND-2")


@dataclass(slots=True)
class FrameInfo:
    """What the driver says about a frame.

    Attributes:
        buffer: Which buffer it is in; it is yours until ``release_buffer``.
        count: Number of the frame since the start; a hole says that frames were lost.
        time_s: When its exposure began, seconds since 1970.
    """

    buffer: int
    count: int
    time_s: float


@dataclass(slots=True)
class _Camera:
    serial: str
    parameters: dict[str, float]
    is_connected: bool = True
    exposed: int = 0
    buffers: list[NDArray[np.uint16]] = field(default_factory=list)
    free: list[int] = field(default_factory=list)
    full: list[FrameInfo] = field(default_factory=list)
    thread: threading.Thread | None = None
    is_running: bool = False
    news: threading.Condition = field(default_factory=threading.Condition)


_open: dict[int, _Camera] = {}


def open_camera(serial: str) -> tuple[int, int]:
    """Return a code and a handle; a camera can be open once."""
    if serial not in _SERIALS or any(each.serial == serial for each in _open.values()):
        return NO_CAMERA, 0
    handle = max(_open, default=0) + 1
    _open[handle] = _Camera(serial, {"exposure_s": 0.1, "gain": 1.0, "temperature_k": 173.0})
    return OK, handle


def close_camera(handle: int) -> int:
    """Stop and forget it."""
    stop(handle)
    return OK if _open.pop(handle, None) else BAD_HANDLE


def set_parameter(handle: int, name: str, value: float) -> int:
    """Set ``exposure_s`` or ``gain``; the temperature can only be read."""
    camera = _open.get(handle)
    if camera is None:
        return BAD_HANDLE
    if name not in ("exposure_s", "gain") or value <= 0:
        return BAD_PARAMETER
    camera.parameters[name] = value
    return OK


def get_parameter(handle: int, name: str) -> tuple[int, float]:
    """Return a code and a value."""
    camera = _open.get(handle)
    if camera is None:
        return BAD_HANDLE, 0.0
    if name not in camera.parameters:
        return BAD_PARAMETER, 0.0
    return OK, camera.parameters[name]


def start(handle: int, buffers: int) -> int:
    """Expose frame after frame into a ring of buffers."""
    camera = _open.get(handle)
    if camera is None:
        return BAD_HANDLE
    camera.buffers = [np.zeros((ROWS, COLUMNS), np.uint16) for _ in range(buffers)]
    camera.free, camera.full, camera.is_running = list(range(buffers)), [], True
    camera.thread = threading.Thread(target=_expose, args=(camera,), name="pretend driver")
    camera.thread.start()
    return OK


def stop(handle: int) -> int:
    """End the exposures; harmless when there are none."""
    camera = _open.get(handle)
    if camera is None:
        return BAD_HANDLE
    with camera.news:
        camera.is_running = False
        camera.news.notify_all()
    if camera.thread is not None:
        camera.thread.join()
        camera.thread = None
    return OK


def wait_for_frame(handle: int, timeout_ms: int) -> tuple[int, FrameInfo | None]:
    """Return a code and the oldest frame that was not fetched yet."""
    camera = _open.get(handle)
    if camera is None:
        return BAD_HANDLE, None
    with camera.news:
        camera.news.wait_for(lambda: camera.full or not camera.is_connected, timeout_ms / 1000)
        if camera.full:
            return OK, camera.full.pop(0)
        if not camera.is_connected:
            return DISCONNECTED, None
        return (TIMEOUT if camera.is_running else NOT_RUNNING), None


def buffer_of(handle: int, buffer: int) -> NDArray[np.uint16]:
    """Return the memory of a buffer: the driver writes into it again after its release."""
    return _open[handle].buffers[buffer]


def release_buffer(handle: int, buffer: int) -> int:
    """Give a buffer back to the driver."""
    camera = _open.get(handle)
    if camera is None:
        return BAD_HANDLE
    with camera.news:
        camera.free.append(buffer)
    return OK


def pull_cable(serial: str) -> None:
    """Lose the camera of a serial number, as in real life."""
    for camera in _open.values():
        if camera.serial == serial:
            with camera.news:
                camera.is_connected = False
                camera.news.notify_all()


def _expose(camera: _Camera) -> None:
    """Do what the driver does: fill free buffers; without one the frame is lost."""
    noise = np.random.default_rng(1)
    camera.exposed = 0
    while True:
        began = time.time()
        exposure_s = camera.parameters["exposure_s"]
        with camera.news:
            over = camera.news.wait_for(lambda: not _is_exposing(camera), exposure_s)
            if over:
                return
            camera.exposed += 1
            if camera.free:
                buffer = camera.free.pop(0)
                camera.buffers[buffer][:] = _picture(noise, exposure_s)
                camera.full.append(FrameInfo(buffer, camera.exposed, began))
                camera.news.notify_all()


def _is_exposing(camera: _Camera) -> bool:
    return camera.is_running and camera.is_connected


def _picture(noise: np.random.Generator, exposure_s: float) -> NDArray[np.uint16]:
    pixels = noise.normal(1000, 5, (ROWS, COLUMNS))
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    pixels += 2e5 * exposure_s * np.exp(-((x - 60) ** 2 + (y - 40) ** 2) / 18)
    return np.clip(pixels, 0, 65535).astype(np.uint16)
