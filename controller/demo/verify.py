"""Examines a data product with astropy, independently of the code that made it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from controller.failure import CommandFailed


def verify_product(path: Path, original: Path, keywords: dict[str, Any]) -> str:
    """Examine a product and say in one line what is in it.

    Args:
        path: The product.
        original: The recorded frames: their pixels must be found again.
        keywords: Values that its primary header must have.

    Raises:
        CommandFailed: It is not what it should be; the message lists everything wrong.
    """
    with _opened(path) as product, _opened(original) as frames:
        wrong = [
            *_wrong_checksums(product),
            *_wrong_keywords(product[0].header, {**keywords, "ARCFILE": path.name}),
            *_missing_frames(product, frames),
        ]
        tables = [hdu for hdu in product if hdu.is_image is False and len(hdu.data)]
        if not tables:
            wrong.append("there is no table of telemetry with rows in it")
        if wrong:
            raise CommandFailed(
                f"the product {path} is not as it should be:\n  " + "\n  ".join(wrong),
                remedy="keep the scratch folder and report it",
            )
        rows = ", ".join(f"{hdu.name} with {len(hdu.data)} rows" for hdu in tables)
        images = sum(hdu.is_image for hdu in product[1:])
        return (
            f"{len(product)} HDUs with good checksums; {images} frames, pixel for pixel as "
            f"recorded by Hubble; {rows}"
        )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from astropy.io import fits

    with warnings.catch_warnings():
        # astropy tells of a wrong checksum by a warning.
        warnings.simplefilter("error")
        try:
            # Our own stream: when opening fails astropy leaves its own one open.
            with (
                path.open("rb") as stream,
                fits.open(stream, checksum=True, memmap=False) as hdus,
            ):
                hdus.verify("exception")
                for hdu in hdus:
                    _ = hdu.data
                yield hdus
        except (OSError, Warning, fits.VerifyError) as error:
            raise CommandFailed(
                f"{path} is not a good FITS file: {error}",
                remedy="keep the scratch folder and report it",
            ) from error


def _wrong_checksums(product: Any) -> list[str]:
    return [
        f"HDU {number} ({hdu.name}) has no {keyword}"
        for number, hdu in enumerate(product)
        for keyword in ("CHECKSUM", "DATASUM")
        if keyword not in hdu.header
    ]


def _wrong_keywords(header: Any, keywords: dict[str, Any]) -> list[str]:
    return [
        f"{name} is {header.get(name)!r}, not {value!r}"
        for name, value in keywords.items()
        if header.get(name) != value
    ]


def _missing_frames(product: Any, frames: Any) -> list[str]:
    """Find each frame of the original again, in order."""
    recorded = [hdu for hdu in product[1:] if hdu.is_image]
    originals = [hdu for hdu in frames[1:] if hdu.is_image]
    if len(recorded) != len(originals):
        return [f"it has {len(recorded)} frames, {len(originals)} were recorded"]
    return [
        f"frame {number} ({one.name}) differs from the original"
        for number, (one, other) in enumerate(zip(recorded, originals, strict=True), start=1)
        if not _is_same(one.data, other.data)
    ]


def _is_same(one: Any, other: Any) -> bool:
    import numpy as np

    if one is None or other is None:
        return one is other
    return bool(np.array_equal(one, other))
