"""The accounts of a component: its supplier's, and those that it has further."""

from __future__ import annotations

from pathlib import Path

from idl_like_interfaces.accounts import Account, HopKind
from idl_like_interfaces.clients.accounts import Book, Hop
from idl_like_interfaces.errors import PersistStore
from objects.component.host import HostedSite


def test_an_accountant_that_fails_hides_no_other(tmp_path: Path) -> None:
    """What the component publishes is accounted for without any work."""

    def failing() -> list[Account]:
        raise PersistStore("the disk is full")

    writer = Book().account(Hop(name="obs/mine", kind=HopKind.WRITER), "obs/ocm", "1")
    # Nobody listens there: nothing of this needs a name server.
    site = HostedSite("mine", root="obs", data_root=tmp_path, names=("localhost", 1))
    try:
        site.keeps_accounts(failing)
        site.keeps_accounts(lambda: [writer])
        own, further = site.accounts()
    finally:
        site.close()

    assert (own.kind, own.hop, own.incarnation) == (
        HopKind.SUPPLIER,
        "obs/mine",
        site.incarnation,
    )
    assert further == writer
