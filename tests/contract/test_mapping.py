"""Every type, every error, every way over the wire."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import Pyro5.api
import Pyro5.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.errors import BadParam, Internal, RemoteError
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from idl_like_interfaces.mapping.annex import Annex
from idl_like_interfaces.mapping.coding import decode_reply, encode, to_plain
from idl_like_interfaces.object import Object
from idl_like_interfaces.octets import OctetBlocks, Octets
from tests.support.echo import (
    Circle,
    Colour,
    Echo,
    EchoServant,
    Point,
    Refused,
    Sample,
    Square,
)
from tests.support.wire import MODES, wired

WIRES = [mode for mode in MODES if mode != "in-process"]

reals = st.floats(allow_nan=False, allow_infinity=False)
points = st.builds(Point, x_axis=st.integers(-(2**53), 2**53), y_axis=reals)
samples = st.builds(
    Sample,
    flag=st.booleans(),
    number=st.integers(-(2**53), 2**53),
    real=reals,
    text=st.text(st.characters(exclude_categories=["Cs"])),
    colour=st.sampled_from(Colour),
    time=st.none() | st.datetimes(timezones=st.just(UTC)),
    shapes=st.lists(
        st.builds(Circle, radius=reals)
        | st.builds(Square, side=reals, corners=st.lists(points, max_size=2)),
        max_size=3,
    ),
    table=st.dictionaries(st.text("abc"), points, max_size=3),
    octets=st.none() | st.builds(Octets, st.binary(max_size=50)),
    blocks=st.none() | st.builds(OctetBlocks.of, st.lists(st.binary(max_size=20), max_size=4)),
)


@pytest.fixture(params=MODES)
def echo(request: pytest.FixtureRequest) -> Iterator[Echo]:
    with wired(EchoServant(), Echo, request.param) as client:
        yield client


@pytest.fixture(params=WIRES)
def remote(request: pytest.FixtureRequest) -> Iterator[Echo]:
    with wired(EchoServant(), Echo, request.param) as client:
        yield client


class TestRoundTrip:
    """What goes in comes out."""

    @pytest.mark.parametrize("mode", MODES)
    def test_every_declared_type_survives(self, mode: str) -> None:
        """Any sample comes back equal, whatever carries it."""
        with wired(EchoServant(), Echo, mode) as client:

            @given(samples)
            def check(sample: Sample) -> None:
                assert client.echo(sample) == sample

            check()

    def test_large_octets_survive(self, echo: Echo) -> None:
        """A hundred kilobytes of octets come back to the byte."""
        octets = Octets(bytes(range(256)) * 256)
        reply = echo.echo(Sample(octets=octets))
        assert reply.octets == octets

    def test_defaults_are_filled_in(self, echo: Echo) -> None:
        """An argument that is left out takes its declared default."""
        assert echo.add(41) == 42

    def test_arguments_may_be_named(self, echo: Echo) -> None:
        """Arguments by name reach their parameter."""
        assert echo.add(b=2, a=40) == 42


class TestRefusals:
    """Bad requests name the field; errors are readable everywhere."""

    def test_a_declared_error_arrives_with_its_fields(self, echo: Echo) -> None:
        """Class, fields, cause and remedy are those that were raised."""
        with pytest.raises(Refused) as caught:
            echo.refuse("abc")
        assert (caught.value.id, caught.value.point) == ("abc", Point(x_axis=1))
        assert (caught.value.cause, caught.value.remedy) == ("a test", "none")

    def test_the_remote_traceback_is_kept(self, remote: Echo) -> None:
        """The traceback of the servant comes with the error."""
        with pytest.raises(Refused) as caught:
            remote.refuse("abc")
        assert "in refuse" in caught.value.remote_traceback

    def test_an_undeclared_error_does_not_cross(self, remote: Echo) -> None:
        """What an operation does not declare arrives as an internal error."""
        with pytest.raises(Internal, match="Undeclared"):
            remote.betray()

    def test_a_bug_arrives_as_internal(self, remote: Echo) -> None:
        """A bug of the servant says what it was, and the servant lives on."""
        with pytest.raises(Internal, match="ZeroDivisionError: a bug"):
            remote.fail()
        assert remote.add(1) == 2

    @pytest.mark.parametrize(
        ("arguments", "field"),
        [
            (({"number": "x"},), "sample.number"),
            (({"nummer": 1},), "sample.nummer"),
            (({"colour": "green"},), "sample.colour"),
            (
                ({"shapes": [{"type": "circle", "radius": 1}, {"type": "line"}]},),
                "sample.shapes[1].type",
            ),
            (({"shapes": [{"type": "square"}]},), "sample.shapes[0].side"),
            (({"table": {"a": {"x_axis": 1}}},), "sample.table[...].x_axis"),
            (({"real": math.nan},), "sample.real"),
            (({"time": "2026-01-02T03:04:05"},), "sample.time"),
            (({"time": "yesterday"},), "sample.time"),
            (({"octets": 3},), "sample.octets"),
            (({"octets": {"octets@": [0, 5]}},), "sample.octets"),
            (({"octets": {"data": "%%%", "encoding": "base64"}},), "sample.octets"),
            (({"blocks": [1]},), "sample.blocks"),
            ((), "sample"),
            (({}, 2), "echo"),
            (("text",), "sample"),
        ],
    )
    def test_a_wrong_request_names_its_field(
        self, remote: Echo, arguments: tuple[Any, ...], field: str
    ) -> None:
        """Each kind of mistake in a request is refused with the path of the field."""
        with pytest.raises(BadParam) as caught:
            remote.echo(*arguments)
        assert caught.value.field == field
        assert caught.value.remedy

    def test_a_stock_proxy_reads_message_and_remedy(self) -> None:
        """A proxy that knows nothing of us shows text and attributes."""
        with ObjectAdapter() as adapter:
            uri = adapter.activate(EchoServant(), Echo, "echo")
            with Pyro5.api.Proxy(uri) as proxy, pytest.raises(Pyro5.errors.PyroError) as caught:
                proxy.refuse("abc")
        assert str(caught.value) == "no abc here\ncause: a test\nremedy: none"
        assert caught.value.repository_id == "IDL:test/Refused:1.0"

    def test_a_stock_proxy_may_name_an_unknown_argument(self) -> None:
        """An argument that is not declared, or is given twice, is refused by name."""
        with ObjectAdapter() as adapter:
            uri = adapter.activate(EchoServant(), Echo, "echo")
            with Pyro5.api.Proxy(uri) as proxy:
                with pytest.raises(Pyro5.errors.PyroError, match="c: the field is unknown"):
                    proxy.add(a=1, c=2)
                with pytest.raises(Pyro5.errors.PyroError, match="a of add is given twice"):
                    proxy.add(1, a=2)

    def test_a_value_without_plain_form_is_refused_at_the_client(self) -> None:
        """What cannot travel does not even leave."""
        with (
            wired(EchoServant(), Echo, "msgpack") as client,
            pytest.raises(BadParam, match="anything"),
        ):
            client.anything(object())

    def test_an_unknown_error_revives_as_the_base(self) -> None:
        """An error of a newer server is still an error with its texts."""
        from idl_like_interfaces.mapping.wire import revive, to_pyro_error

        crossed = to_pyro_error(Refused("no", id="a", point=Point(x_axis=1), remedy="wait"))
        crossed.repository_id = "IDL:test/NewerThanWe:9.0"
        revived = revive(crossed)
        assert type(revived) is RemoteError
        assert (revived.repository_id, revived.remedy) == ("IDL:test/NewerThanWe:9.0", "wait")


class TestObject:
    """The operations that every object has."""

    def test_is_a_follows_the_version_rule(self) -> None:
        """Same major, minor not older; without a version any."""
        with ObjectAdapter() as adapter:
            stub = narrow(adapter.activate(EchoServant(), Echo, "echo"), Object)
            asked = {
                wanted: stub.is_a(f"IDL:test/Echo{wanted}")
                for wanted in ("", ":1.0", ":1.2", ":1.3", ":2.0")
            }
            with pytest.raises(BadParam, match="IDL:path"):
                stub.is_a("Echo")
            release(stub)
        assert asked == {"": True, ":1.0": True, ":1.2": True, ":1.3": False, ":2.0": False}

    def test_ping_tells_who_answers(self) -> None:
        """Identity holds object id and incarnation."""
        with ObjectAdapter(incarnation="inc1") as adapter:
            stub = narrow(adapter.activate(EchoServant(), Echo, "obs/echo"), Object)
            identity = stub.ping()
            release(stub)
        assert (identity.object_id, identity.incarnation) == ("obs/echo~inc1", "inc1")

    def test_the_interface_describes_itself(self) -> None:
        """Repository id and operations are the declared ones, and only they are exposed."""
        with ObjectAdapter() as adapter:
            uri = adapter.activate(EchoServant(), Echo, "echo")
            stub = narrow(uri, Object)
            described = stub.get_interface()
            release(stub)
            with Pyro5.api.Proxy(uri) as proxy:
                proxy._pyroBind()
                exposed = set(proxy._pyroMethods)
        assert described.repository_id == "IDL:test/Echo:1.2"
        assert set(described.operations) == set(interface_of(Echo).operations)
        assert exposed == set(described.operations) | set(interface_of(Object).operations)


class TestTolerance:
    """Replies of a newer server."""

    def test_unknown_fields_of_a_reply_are_passed_over(self) -> None:
        """Fields that a newer minor version added do not disturb, at any depth."""
        sample = Sample(
            shapes=[Square(side=1.0, corners=[Point(x_axis=1)])], table={"a": Point(x_axis=2)}
        )
        plain = to_plain(sample)
        plain["new"] = 1
        plain["shapes"][0]["corners"][0]["zAxis"] = 3
        plain["table"]["a"]["zAxis"] = 3
        operation = interface_of(Echo).operations["echo"]
        assert decode_reply(operation, plain, None) == sample

    def test_a_reply_of_wrong_type_is_an_error(self) -> None:
        """Tolerance ends at the types."""
        operation = interface_of(Echo).operations["echo"]
        with pytest.raises(BadParam, match="number"):
            decode_reply(operation, {"number": "many"}, None)


def test_octets_are_not_copied_on_the_way_out() -> None:
    """One run of octets is the annex itself."""
    buffer = bytearray(b"abc")
    annex = Annex()
    encode(Octets(buffer), annex)
    joined = annex.joined()
    assert joined is not None
    buffer[0] = ord("x")
    assert bytes(joined) == b"xbc"


def test_times_travel_as_utc_text() -> None:
    """A time is an ISO-8601 text on the wire."""
    plain = to_plain(Sample(time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)))
    assert plain["time"] == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize(
    ("sample", "choices"),
    [
        ({"colour": "green"}, "red, blue"),
        ({"shapes": [{"type": "line"}]}, "circle, square"),
        ({"shapes": [{"type": "square", "side": 1, "size": 2}]}, "side, corners"),
        ({"table": {"a": {"xAxis": 1, "zAxis": 2}}}, ""),
        ({"nummer": 1}, "flag, number, real"),
    ],
)
def test_a_refusal_tells_what_would_have_been_right(
    remote: Echo, sample: dict[str, Any], choices: str
) -> None:
    """Where names are wrong, the right ones stand in the remedy."""
    with pytest.raises(BadParam) as caught:
        remote.echo(sample)  # type: ignore[arg-type]
    assert choices in caught.value.remedy
