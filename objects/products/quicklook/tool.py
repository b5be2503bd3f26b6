"""Makes the picture of a product: ``obsorb quicklook``, and what the DPM runs after a merge."""

from __future__ import annotations

import warnings
import zlib
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from idl_like_interfaces.errors import BadParam, PersistStore
from objects.component.atomic import PART_SUFFIX

SOFTWARE = "obsorb quicklook"

_MODE = 0o644
_QUICKLY = 1
"""A quarter of the time went into the last few percent of the size."""

_UNREADABLE = (OSError, EOFError, ImportError, zlib.error)
"""No FITS file, or one that is compressed as a whole, and damaged or in an unknown way."""


def picture_of(product: Path) -> Path:
    """Return where the picture of a product stands: beside it, with the suffix ``.png``."""
    return product.with_name(f"{product.name.removesuffix('.gz').removesuffix('.fits')}.png")


def quicklook(product: Path, picture: Path | None = None) -> Path:
    """Draw what is in a FITS file; the picture follows from the file alone.

    A picture that this has made before is replaced, any other file is not. On return the
    picture is there as a whole; it may be made again, so it need not survive a crash.

    Args:
        product: The file.
        picture: Where the PNG goes; ``None``: beside it.

    Returns:
        The path of the picture.

    Raises:
        BadParam: It cannot be read or is no FITS file, or there is another file at the place
            of the picture.
        PersistStore: The picture cannot be written.
    """
    place = picture or picture_of(product)
    _check(place)
    with warnings.catch_warnings():
        # Of a file that is odd astropy warns; what matters stands on the page.
        warnings.simplefilter("ignore")
        drawn = _drawn(product)
    try:
        _write(drawn, place, product.name)
    except OSError as error:
        raise PersistStore(
            f"the picture {place} cannot be written: {error.strerror or error}",
            cause="its folder is missing, read-only or full",
            remedy="give another place with -o FILE",
        ) from error
    return place


def _drawn(product: Path) -> Any:
    from objects.products.quicklook.contents import examine, opened
    from objects.products.quicklook.page import draw_page

    try:
        with opened(product) as file:
            size = _size(product.stat().st_size)
            return draw_page(file, examine(file), product.name, size)
    except _UNREADABLE as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        why = f"cannot be read: {said}" if said else "is no FITS file"
        raise BadParam(
            f"{product} {why}", remedy="give the path of a FITS file", field="product"
        ) from error


def _check(place: Path) -> None:
    from PIL import Image

    if not place.exists():
        return
    with suppress(OSError, ValueError), Image.open(place) as there:
        if there.info.get("Software") == SOFTWARE:
            return
    raise BadParam(
        f"{place} exists and is no picture of a product: it is not replaced",
        remedy="move it away, or give another place with -o FILE",
        field="picture",
    )


def _write(drawn: Any, place: Path, title: str) -> None:
    from PIL.PngImagePlugin import PngInfo

    about = PngInfo()
    about.add_text("Software", SOFTWARE)
    about.add_text("Title", title)
    with NamedTemporaryFile(
        dir=place.parent, prefix=f".{place.name}.", suffix=PART_SUFFIX, delete=False
    ) as part:
        try:
            drawn.save(part, "png", pnginfo=about, compress_level=_QUICKLY)
            part.flush()
            Path(part.name).chmod(_MODE)
            Path(part.name).replace(place)
        except BaseException:
            with suppress(OSError):
                Path(part.name).unlink()
            raise


def _size(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:  # noqa: PLR2004 (units of storage)
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
