"""What every implementation of ``NamingContext`` does, whatever remembers and carries it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.naming import (
    AlreadyBound,
    Binding,
    BindingType,
    InvalidName,
    NamingContext,
    NoSuchLease,
    NotEmpty,
    NotFound,
    NotFoundReason,
)
from tests.support.clock import ManualClock

URI = "PYRO:ocm~1@localhost:4711"
OTHER = "PYRO:ocm~2@localhost:4712"
OCM = "IDL:obsorb/daqif/OcmDaqControl:3.2"


def names_of(bindings: list[Binding]) -> list[str]:
    """Return the names of bindings in their order."""
    return [binding.name for binding in bindings]


class NamingContract:
    """Inherit it and give the two fixtures."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        """Return the clock that the implementation looks at."""
        return ManualClock()

    @pytest.fixture
    def names(self, clock: ManualClock) -> Iterator[NamingContext]:
        """Yield an empty root context."""
        raise NotImplementedError

    def test_a_bound_object_is_resolved(self, names: NamingContext, clock: ManualClock) -> None:
        """All that was bound comes back, with the time of the binding."""
        names.bind_new_context("obs")
        names.bind("obs/ocm", URI, OCM, {"site": "paranal"})
        assert names.resolve("obs/ocm") == Binding(
            name="obs/ocm",
            uri=URI,
            interface=OCM,
            metadata={"site": "paranal"},
            bound_at=clock.utc(),
        )

    def test_a_context_is_resolved_as_a_context(self, names: NamingContext) -> None:
        """A context has a type and no reference."""
        names.bind_new_context("obs")
        found = names.resolve("obs")
        assert (found.name, found.type, found.uri) == ("obs", BindingType.CONTEXT, "")

    def test_the_empty_name_is_the_root_context(self, names: NamingContext) -> None:
        """The root can be resolved although nobody bound it."""
        assert names.resolve("").type is BindingType.CONTEXT

    def test_names_are_told_apart_by_case(self, names: NamingContext) -> None:
        """Two names that differ in case only, or in ``_`` and ``%``-like ways, are two."""
        names.bind("daq_1", URI)
        names.bind("DAQ_1", OTHER)
        names.bind("daqX1", OTHER)
        names.unbind("daq_1")
        assert names_of(names.list().bindings) == ["DAQ_1", "daqX1"]

    def test_a_taken_name_is_not_bound_again(self, names: NamingContext) -> None:
        """The refusal names what has the name, and the binding stays."""
        names.bind("ocm", URI)
        with pytest.raises(AlreadyBound) as refused:
            names.bind("ocm", OTHER)
        assert (refused.value.name, refused.value.uri) == ("ocm", URI)
        assert refused.value.remedy
        assert names.resolve("ocm").uri == URI

    def test_rebind_replaces_an_object(self, names: NamingContext) -> None:
        """Nothing of the old binding stays."""
        lease = names.grant_lease("ocm", 6.0)
        names.bind("ocm", URI, OCM, {"a": "b"}, lease.lease_id)
        names.rebind("ocm", OTHER)
        found = names.resolve("ocm")
        assert (found.uri, found.interface, found.metadata, found.lease_id) == (OTHER, "", {}, "")

    def test_rebind_takes_a_free_name(self, names: NamingContext) -> None:
        """It need not be bound before."""
        names.rebind("ocm", URI)
        assert names.resolve("ocm").uri == URI

    def test_rebind_does_not_replace_a_context(self, names: NamingContext) -> None:
        """What is in the context would be lost."""
        names.bind_new_context("obs")
        with pytest.raises(AlreadyBound) as refused:
            names.rebind("obs", URI)
        assert refused.value.uri == ""

    def test_a_context_is_not_made_over_an_object(self, names: NamingContext) -> None:
        """The name is taken."""
        names.bind("obs", URI)
        with pytest.raises(AlreadyBound):
            names.bind_new_context("obs")

    def test_unbind_frees_the_name(self, names: NamingContext) -> None:
        """It is gone and can be bound again."""
        names.bind("ocm", URI)
        names.unbind("ocm")
        with pytest.raises(NotFound):
            names.resolve("ocm")
        names.bind("ocm", OTHER)

    def test_an_empty_context_is_destroyed(self, names: NamingContext) -> None:
        """One with bindings is not."""
        names.bind_new_context("obs")
        names.bind("obs/ocm", URI)
        with pytest.raises(NotEmpty) as refused:
            names.destroy("obs")
        assert refused.value.name == "obs"
        names.unbind("obs/ocm")
        names.destroy("obs")
        assert names.list().bindings == []

    @pytest.mark.parametrize(
        ("name", "why", "rest"),
        [
            ("nothing", NotFoundReason.MISSING_NODE, "nothing"),
            ("nothing/a/b", NotFoundReason.MISSING_NODE, "nothing/a/b"),
            ("obs/a/b", NotFoundReason.MISSING_NODE, "a/b"),
            ("obs/ocm/daq/x", NotFoundReason.NOT_CONTEXT, "ocm/daq/x"),
        ],
    )
    def test_not_found_tells_what_is_missing(
        self, names: NamingContext, name: str, why: NotFoundReason, rest: str
    ) -> None:
        """It says why, and which part of the name is left from the offence on."""
        names.bind_new_context("obs")
        names.bind("obs/ocm", URI)
        with pytest.raises(NotFound) as refused:
            names.resolve(name)
        assert (refused.value.why, refused.value.rest_of_name) == (why, rest)
        assert refused.value.remedy

    @pytest.mark.parametrize("operation", ["bind", "rebind", "bind_new_context"])
    def test_nothing_is_bound_below_what_is_no_context(
        self, names: NamingContext, operation: str
    ) -> None:
        """Contexts are not made on the way, and objects are none."""
        names.bind("ocm", URI)
        arguments = () if operation == "bind_new_context" else (URI,)
        for name, why in (
            ("obs/ocm", NotFoundReason.MISSING_NODE),
            ("ocm/daq", NotFoundReason.NOT_CONTEXT),
        ):
            with pytest.raises(NotFound) as refused:
                getattr(names, operation)(name, *arguments)
            assert refused.value.why is why
        assert names_of(names.list().bindings) == ["ocm"]

    def test_unbind_and_destroy_mind_the_kind(self, names: NamingContext) -> None:
        """Each refuses what is for the other."""
        names.bind_new_context("obs")
        names.bind("ocm", URI)
        with pytest.raises(NotFound) as refused:
            names.unbind("obs")
        assert refused.value.why is NotFoundReason.NOT_OBJECT
        with pytest.raises(NotFound) as refused:
            names.destroy("ocm")
        assert refused.value.why is NotFoundReason.NOT_CONTEXT
        for operation in (names.unbind, names.destroy):
            with pytest.raises(NotFound) as refused:
                operation("nothing")
            assert refused.value.why is NotFoundReason.MISSING_NODE

    @pytest.mark.parametrize(
        "text", ["/", "a/", "/a", "a//b", "a b", "ä", "a\n", "x" * 65, "/".join("a" * 17)]
    )
    def test_what_is_no_name_is_refused(self, names: NamingContext, text: str) -> None:
        """Every operation says so, with the text."""
        for operation in (names.resolve, names.unbind, names.bind_new_context, names.list):
            with pytest.raises(InvalidName) as refused:
                operation(text)
            assert refused.value.name == text
        with pytest.raises(InvalidName):
            names.bind(text, URI)

    def test_the_root_is_neither_bound_nor_unbound(self, names: NamingContext) -> None:
        """It is there, always."""
        for operation in (names.unbind, names.bind_new_context, names.destroy):
            with pytest.raises(InvalidName):
                operation("")
        for bind in (names.bind, names.rebind):
            with pytest.raises(InvalidName):
                bind("", URI)

    @pytest.mark.parametrize(
        ("field", "arguments"),
        [
            ("uri", ("ocm", "localhost:4711")),
            ("uri", ("ocm", "PYRO:ocm")),
            ("uri", ("ocm", "PYRO:" + "x" * 2000 + "@localhost:1")),
            ("interface", ("ocm", URI, "OcmDaqControl")),
            ("metadata", ("ocm", URI, "", {"k": "v" * 10_000})),
        ],
    )
    def test_bad_arguments_name_their_field(
        self, names: NamingContext, field: str, arguments: tuple[str, str]
    ) -> None:
        """Nothing is bound."""
        for operation in (names.bind, names.rebind):
            with pytest.raises(BadParam) as refused:
                operation(*arguments)
            assert refused.value.field == field
        assert names.list().bindings == []

    def test_list_shows_a_context_sorted(self, names: NamingContext) -> None:
        """Only its own bindings, or with ``recursive`` all below."""
        for name in ("obs", "obs/b"):
            names.bind_new_context(name)
        for name in ("obs/b/z", "obs/a", "obs-2"):
            names.bind(name, URI)
        assert names_of(names.list().bindings) == ["obs", "obs-2"]
        assert names_of(names.list("obs").bindings) == ["obs/a", "obs/b"]
        everything = ["obs", "obs-2", "obs/a", "obs/b", "obs/b/z"]
        assert names_of(names.list(recursive=True).bindings) == everything

    def test_list_refuses_what_is_no_context(self, names: NamingContext) -> None:
        """Objects have no bindings."""
        names.bind("ocm", URI)
        for name, why in (
            ("ocm", NotFoundReason.NOT_CONTEXT),
            ("obs", NotFoundReason.MISSING_NODE),
        ):
            with pytest.raises(NotFound) as refused:
                names.list(name)
            assert refused.value.why is why
        with pytest.raises(BadParam):
            names.list(how_many=-1)

    def test_pages_make_the_whole(self, names: NamingContext) -> None:
        """A name that goes between two pages costs no other."""
        for number in range(7):
            names.bind(f"n{number}", URI)
        first = names.list(how_many=3)
        assert names_of(first.bindings) == ["n0", "n1", "n2"]
        names.unbind("n2")
        second = names.list(how_many=3, after=first.more)
        third = names.list(how_many=3, after=second.more)
        assert names_of(second.bindings + third.bindings) == ["n3", "n4", "n5", "n6"]
        assert third.more == ""

    def test_a_full_last_page_is_the_end(self, names: NamingContext) -> None:
        """Nobody has to fetch an empty page."""
        names.bind("a", URI)
        names.bind("b", URI)
        assert names.list(how_many=2).more == ""
        assert names.list(how_many=1, after="b").bindings == []

    def test_find_by_interface_minds_the_version(self, names: NamingContext) -> None:
        """The same major version and a minor that is not older; without a version any."""
        names.bind_new_context("obs")
        names.bind("obs/old", URI, "IDL:obsorb/x/Y:1.0")
        names.bind("obs/new", URI, "IDL:obsorb/x/Y:1.2")
        names.bind("next", URI, "IDL:obsorb/x/Y:2.0")
        names.bind("other", URI, "IDL:obsorb/x/Z:1.1")
        names.bind("unknown", URI)
        assert names_of(names.find("IDL:obsorb/x/Y:1.1")) == ["obs/new"]
        assert names_of(names.find("IDL:obsorb/x/Y")) == ["next", "obs/new", "obs/old"]
        assert names_of(names.find("IDL:obsorb/x/Y", "obs")) == ["obs/new", "obs/old"]
        assert names.find("IDL:obsorb/x/Y", "nothing") == []
        for arguments, field in ((("Y",), "interface"), (("IDL:a/Y", "a//b"), "below")):
            with pytest.raises(BadParam) as refused:
                names.find(*arguments)
            assert refused.value.field == field

    def test_a_lease_that_runs_out_unbinds_its_names(
        self, names: NamingContext, clock: ManualClock
    ) -> None:
        """Those, and no others; contexts stay."""
        lease = names.grant_lease("ocm", 6.0)
        names.bind_new_context("obs")
        names.bind("obs/daq", URI, lease_id=lease.lease_id)
        names.bind("obs/std", URI, lease_id=lease.lease_id)
        names.bind("obs/kept", URI)
        clock.advance(5.9)
        assert names.resolve("obs/daq").lease_id == lease.lease_id
        clock.advance(0.2)
        assert names_of(names.list("obs").bindings) == ["obs/kept"]
        with pytest.raises(NotFound):
            names.resolve("obs/daq")
        assert names.list_leases() == []

    def test_a_renewed_lease_goes_on(self, names: NamingContext, clock: ManualClock) -> None:
        """Each renewal begins the term anew."""
        lease = names.grant_lease("ocm", 6.0)
        names.bind("ocm", URI, lease_id=lease.lease_id)
        for _ in range(4):
            clock.advance(4.0)
            assert names.renew_lease(lease.lease_id).remaining_s == 6.0
        assert names.resolve("ocm").uri == URI

    def test_a_released_lease_takes_its_names_along(self, names: NamingContext) -> None:
        """At once, and it is over."""
        lease = names.grant_lease("ocm", 6.0)
        names.bind("ocm", URI, lease_id=lease.lease_id)
        names.release_lease(lease.lease_id)
        assert names.list().bindings == []
        for operation in (names.release_lease, names.renew_lease):
            with pytest.raises(NoSuchLease) as refused:
                operation(lease.lease_id)
            assert refused.value.lease_id == lease.lease_id

    def test_nothing_is_bound_under_a_lease_that_ended(
        self, names: NamingContext, clock: ManualClock
    ) -> None:
        """The holder learns that it must take a new one."""
        lease = names.grant_lease("ocm", 6.0)
        clock.advance(6.0)
        for operation in (names.bind, names.rebind):
            with pytest.raises(NoSuchLease):
                operation("ocm", URI, lease_id=lease.lease_id)

    def test_a_name_that_moved_outlives_its_old_lease(
        self, names: NamingContext, clock: ManualClock
    ) -> None:
        """A late end of an earlier instance does not unbind its successor."""
        old = names.grant_lease("ocm", 6.0)
        names.bind("ocm", URI, lease_id=old.lease_id)
        clock.advance(3.0)
        new = names.grant_lease("ocm", 6.0)
        names.rebind("ocm", OTHER, lease_id=new.lease_id)
        clock.advance(4.0)
        assert names.resolve("ocm").uri == OTHER
        assert [lease.lease_id for lease in names.list_leases()] == [new.lease_id]

    def test_leases_are_listed_with_what_remains(
        self, names: NamingContext, clock: ManualClock
    ) -> None:
        """Sorted by holder."""
        names.grant_lease("ocm", 10.0)
        clock.advance(4.0)
        names.grant_lease("dpm", 10.0)
        shown = [(each.holder, each.term_s, each.remaining_s) for each in names.list_leases()]
        assert shown == [("dpm", 10.0, 10.0), ("ocm", 10.0, 6.0)]

    def test_leases_that_nobody_can_keep_are_refused(self, names: NamingContext) -> None:
        """A lease needs a holder and a term within bounds."""
        with pytest.raises(InvalidName):
            names.grant_lease("", 6.0)
        for term_s in (0.0, 0.05, 3601.0):
            with pytest.raises(BadParam) as refused:
                names.grant_lease("ocm", term_s)
            assert refused.value.field == "term_s"
        with pytest.raises(BadParam):
            names.grant_lease("x" * 300, 6.0)
        assert names.list_leases() == []
