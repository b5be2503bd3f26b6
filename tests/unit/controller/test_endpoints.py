"""Options, variables and names of the original's tools, taken as aliases of ours."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from controller.cli.endpoints import address_of, port_of, where_are_events
from idl_like_interfaces.errors import BadParam
from tests.support.small import SmallInstallation
from tests.unit.controller.running import obsorb, ok, refused


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of this machine take part."""
    for name in ("OCM_REQUEST_EP", "OCM_PUBLISH_EP", "CFGPATH", "DATAROOT", "DAQ_LOGS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def unnamed(small: SmallInstallation, monkeypatch: pytest.MonkeyPatch) -> SmallInstallation:
    """An installation that no variable of ours points to."""
    monkeypatch.delenv("OBSORB_NAMES")
    return small


class TestRequestEndpoint:
    """``--rep`` and ``OCM_REQUEST_EP``."""

    @pytest.mark.parametrize("form", ["zpb.rr://{}/", "zpb.rr://{}", "{}"])
    def test_it_is_where_the_names_are(self, unnamed: SmallInstallation, form: str) -> None:
        """As an endpoint with and without the slash, and as a plain address."""
        rep = form.format(unnamed.address)
        assert ok("--rep", rep, "std", "getstate") == ok("std", "getstate", "--rep", rep)

    def test_the_variable_says_the_same(
        self, unnamed: SmallInstallation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """So that scripts go on to run."""
        monkeypatch.setenv("OCM_REQUEST_EP", f"zpb.rr://{unnamed.address}")
        assert "Operational" in ok("std.getstate")

    def test_ours_goes_before_the_variable(
        self, small: SmallInstallation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """``OBSORB_NAMES`` is set here and leads to the installation."""
        monkeypatch.setenv("OCM_REQUEST_EP", "zpb.rr://localhost:1/")
        assert "Operational" in ok("std", "getstate")
        assert "localhost:1 " in refused("std", "getstate", "--rep", "localhost:1")

    @pytest.mark.usefixtures("small")
    def test_it_may_be_the_name_of_the_ocm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The same as ``--ocm``."""
        assert "Operational" in ok("std", "getstate", "--rep", "obs/ocm")
        assert "obs/ocm2" in refused("std", "getstate", "--rep", "obs/ocm2/")
        monkeypatch.setenv("OBSORB_NAMES", "")
        monkeypatch.setenv("OCM_REQUEST_EP", "obs/ocm2")
        assert "localhost:9090" in refused("std", "getstate", "--names", "localhost:9090")

    @pytest.mark.parametrize(
        ("rep", "said"),
        [
            ("zpb.rr://localhost:12081/daq", "names the service daq"),
            ("zpb.ps://localhost:12082/", "not of the kind zpb.rr"),
            ("zpb.rr://localhost", "not the address"),
            ("http://localhost:80/", "not the address"),
            ("PYRO:x@localhost:80", "not the address"),
            ("nonsense", "not the address"),
        ],
    )
    def test_what_means_nothing_is_refused(self, rep: str, said: str) -> None:
        """With what to give in its place."""
        error = refused("std", "getstate", "--rep", rep)
        assert said in error
        assert "remedy: " in error

    def test_two_places_are_refused(self) -> None:
        """Nobody could say which one is meant."""
        error = refused("std", "getstate", "--rep", "localhost:1", "--names", "localhost:2")
        assert "give one of them" in error


class TestPublishEndpoint:
    """``--pep`` and ``OCM_PUBLISH_EP``."""

    def test_an_endpoint_is_not_needed(self, small: SmallInstallation) -> None:
        """It is taken, and that is said; the variable says nothing."""
        result = obsorb("daq", "getstatus", "d1", "--pep", "zpb.ps://127.0.0.1:12082")
        assert result.exit_code == 0
        assert "is not needed" in result.stderr

    def test_a_name_is_that_of_the_channel(self) -> None:
        """Another one than ROOT/events."""
        assert where_are_events("obs/other/events") == "obs/other/events"
        assert where_are_events(None) is None

    def test_a_wrong_one_is_refused(self) -> None:
        """As any other."""
        assert "not of the kind zpb.ps" in refused(
            "daq", "getstatus", "d1", "--pep", "zpb.rr://localhost:1/"
        )


class TestDottedCommands:
    """The verbs with a dot, such as ``std.init``."""

    def test_each_verb_has_its_dotted_form(self, small: SmallInstallation) -> None:
        """It is the same command, with options before and behind it."""
        assert ok("--json", "daq.getstatus", "d1") == ok("daq", "getstatus", "d1", "--json")
        ok("daq.stop", "d1")
        assert small.ocm.calls[-1] == ("stop_daq", "d1")

    def test_only_those_two_have_one(self) -> None:
        """A dot elsewhere is a slip."""
        assert "No such command 'names.list'" in refused("names.list", code=2)
        assert "No such command 'nope'" in refused("daq.nope", code=2)


def test_other_options_alone_are_no_command() -> None:
    """Only ``--status`` has a meaning of its own."""
    assert "Missing command" in refused("--json", code=2)


class TestServer:
    """What an endpoint means to who serves."""

    def test_it_is_the_port(self) -> None:
        """Of this host."""
        assert port_of("zpb.rr://127.0.0.1:12083/", "--rr-uri") == 12083
        assert port_of(f"{socket.gethostname()}:12083", "--rr-uri") == 12083
        with pytest.raises(BadParam, match="another host"):
            port_of("zpb.rr://elsewhere.example:12083/", "--rr-uri")

    def test_several_addresses_are_those_of_a_pair(self) -> None:
        """As with ``--names``."""
        assert address_of("a:1,b:2", "--rep") == "a:1,b:2"

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["serve"], "Missing argument 'FILE'"),
            (["serve", "FILE"], "Missing argument 'COMPONENT'"),
            (["serve", "-n", "ocm"], "Missing argument 'FILE'"),
            (["serve", "FILE", "ocm", "-n", "ocm"], "What is 'ocm'?"),
            (["serve", "FILE", "ocm", "-l", "LOUD"], "there is no level 'LOUD'"),
            (["up"], "Give FILE"),
            (["up", "FILE", "-c", "FILE"], "Give FILE"),
        ],
    )
    def test_wrong_usage_is_said(self, arguments: list[str], said: str) -> None:
        """Before anything starts."""
        assert said in " ".join(refused(*arguments, code=2).split())

    @pytest.mark.parametrize("command", [["serve", "-n", "ocm"], ["up"]])
    def test_a_configuration_that_is_nowhere_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
    ) -> None:
        """With the folders that were searched."""
        monkeypatch.setenv("CFGPATH", str(tmp_path))
        error = refused(*command, "-c", "config/daqOcmServer/config.toml")
        assert f"{tmp_path}/config/daqOcmServer/config.toml" in error

    def test_an_option_is_checked_as_a_setting(self, tmp_path: Path) -> None:
        """What the component does not have is refused under its name."""
        file = tmp_path / "it.toml"
        file.write_text("[component.ocm]\nkind = 'ocm'\ninstrument_id = 'X'\n")
        assert "component.ocm.poll_once" in refused("serve", "-c", str(file), "ocm", "--poll-once")
