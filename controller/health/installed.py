"""What is installed in this environment, and does it fit."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata

from controller.health.finding import Finding, bad

DISTRIBUTION = "obsorb"

OUR_PACKAGES = ("idl_like_interfaces", "nameserver", "objects", "controller")

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*([^;\[]*)(;.*)?")
_BOUND = re.compile(r"(>=|<|==)\s*([0-9.]+)")


def examine_installed() -> list[Finding]:
    """Examine Python, the distribution, its dependencies and its package names."""
    return [
        examine_python(sys.version_info[:3]),
        *examine_dependencies(metadata.requires(DISTRIBUTION) or [], installed_version),
        *examine_owners(metadata.packages_distributions()),
    ]


def examine_python(version: tuple[int, ...]) -> Finding:
    """Examine the version of the interpreter."""
    text = ".".join(map(str, version))
    if version >= (3, 11):
        return Finding(subject="Python", found=text)
    return bad(
        "Python",
        text,
        cause="obsorb uses what came with Python 3.11",
        remedy="make the environment with Python 3.11 or newer",
    )


def installed_version(name: str) -> str | None:
    """Return the version of an installed distribution, None without it."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def examine_dependencies(
    requires: Sequence[str], version_of: Callable[[str], str | None]
) -> list[Finding]:
    """Examine what the distribution needs; extras are not needed."""
    found = [_REQUIREMENT.match(each) for each in requires if "extra ==" not in each]
    return [_dependency(m[1], m[2], version_of(m[1])) for m in found if m is not None]


def _dependency(name: str, bounds: str, version: str | None) -> Finding:
    if version is None:
        return bad(
            name,
            "is not installed",
            cause="the environment is not the one that obsorb was installed in",
            remedy=f"install it: pip install '{name}{bounds.strip()}'",
        )
    if all(_holds(version, sign, bound) for sign, bound in _BOUND.findall(bounds)):
        return Finding(subject=name, found=version)
    return bad(
        name,
        f"{version} does not fit {bounds.strip()}",
        cause="another package has brought another version",
        remedy=f"install a fitting one: pip install '{name}{bounds.strip()}'",
    )


def _holds(version: str, sign: str, bound: str) -> bool:
    have, want = _numbers(version), _numbers(bound)
    match sign:
        case ">=":
            return have >= want
        case "<":
            return have < want
        case _:
            return have[: len(want)] == want


def _numbers(version: str) -> tuple[int, ...]:
    leading = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(each) for each in leading[0].split(".")) if leading else ()


def examine_owners(owners: Mapping[str, Sequence[str]]) -> list[Finding]:
    """Examine whether another distribution owns one of our top-level package names."""
    return [_owner(package, owners.get(package, ())) for package in OUR_PACKAGES]


def _owner(package: str, owners: Sequence[str]) -> Finding:
    others = sorted(set(owners) - {DISTRIBUTION})
    if not others:
        return Finding(subject=f"package {package}", found="belongs to obsorb alone")
    return bad(
        f"package {package}",
        f"belongs also to {', '.join(others)}",
        cause="another distribution installs a package of the same name",
        remedy=f"use an environment of its own for obsorb, without {others[0]}",
    )
