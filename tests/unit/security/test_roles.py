"""Who may call what, decided without any call."""

from __future__ import annotations

import pytest

from idl_like_interfaces.declare import Role
from idl_like_interfaces.security.roles import Policy, Rule, is_local, role_in


@pytest.mark.parametrize(
    ("uris", "role"),
    [
        ([], None),
        (["urn:obsorb:role:operator"], Role.OPERATOR),
        (["https://example.org", "urn:obsorb:role:admin"], Role.ADMIN),
        (["urn:obsorb:role:emperor"], None),
        (["urn:obsorb:role:"], None),
        (["urn:obsorb:role:admin", "urn:obsorb:role:observer"], None),
        (["operator"], None),
    ],
)
def test_a_certificate_states_one_role_or_none(uris: list[str], role: Role | None) -> None:
    """What is ambiguous or unknown gives no right."""
    assert role_in(uris) is role


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.1", False),
        ("::ffff:192.0.2.1", False),
        ("localhost.example.org", False),
    ],
)
def test_loopback_is_known_in_each_form(address: str, local: bool) -> None:
    """Also where an IPv6 socket shows an IPv4 address; what is unknown is foreign."""
    assert is_local(address) is local


def test_the_installation_wins_over_the_certificate() -> None:
    """Up and down; who is named nowhere has what the certificate states."""
    policy = Policy(roles={"alice": Role.OBSERVER, "bob": Role.ADMIN})
    assert policy.role_of("alice", Role.ADMIN, "192.0.2.1") is Role.OBSERVER
    assert policy.role_of("bob", None, "192.0.2.1") is Role.ADMIN
    assert policy.role_of("carol", Role.OPERATOR, "192.0.2.1") is Role.OPERATOR
    assert policy.role_of("dave", None, "127.0.0.1") is None


def test_without_certificate_the_place_counts() -> None:
    """Loopback is trusted, the network is not, unless the installation says otherwise."""
    assert Policy().role_of("", None, "127.0.0.1") is Role.ADMIN
    assert Policy().role_of("", None, "192.0.2.1") is Role.OBSERVER
    strict = Policy(local=Role.OBSERVER, network=Role.OPERATOR)
    assert strict.role_of("", None, "::1") is Role.OBSERVER
    assert strict.role_of("", None, "192.0.2.1") is Role.OPERATOR
    assert strict.role_of("", Role.ADMIN, "192.0.2.1") is Role.OPERATOR


@pytest.mark.parametrize(
    ("glob", "name", "fits"),
    [
        ("obs/ocm/*", "obs/ocm/daq", True),
        ("obs/ocm/*", "obs/ocm/daq/x", False),
        ("obs/**", "obs/ocm/daq/x", True),
        ("**", "NameService", True),
        ("obs/ocm", "obs/ocm/daq", False),
        ("obs/*/daq", "obs/ocm/daq", True),
        ("obs/o.m/daq", "obs/ocm/daq", False),
        ("obs/dcs*/rec", "obs/dcs12/rec", True),
        ("*", "a\nb", True),
    ],
)
def test_globs_over_objects(glob: str, name: str, fits: bool) -> None:
    """A star stays within one component of the name, two cross it; the rest is literal."""
    assert Rule(object=glob, operation="*", role=Role.ADMIN).fits(name, "exit") is fits


def test_the_first_rule_that_fits_counts() -> None:
    """Else the declaration."""
    policy = Policy(
        rules=[
            Rule(object="obs/ocm/*", operation="exit", role=Role.ADMIN),
            Rule(object="obs/**", operation="*", role=Role.ENGINEER),
        ]
    )
    assert policy.least_role("obs/ocm/std", "exit", Role.OPERATOR) is Role.ADMIN
    assert policy.least_role("obs/ocm/std", "init", Role.OPERATOR) is Role.ENGINEER
    assert policy.least_role("other", "exit", Role.OPERATOR) is Role.OPERATOR
