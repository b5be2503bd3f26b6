"""Configurations of daqOcmServer and daqDpmServer become an installation."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.errors import BadParam
from objects.component.installation import Installation
from objects.migration.daq_config import import_daq_config
from objects.migration.daq_config_keys import DPM_KEYS, KEYS, OCM_KEYS, Server

OCM = """\
cfg:
  instrument_id: "TEST"
  dataroot: "/absolute/output/path"
  sm_scxml: "config/daqOcmServer/sm.xml"
  req_endpoint: "zpb.rr://127.0.0.1:12340/" # where requests come in
  pub_endpoint: "zpb.ps://127.0.0.1:12341/"
  db_timeout_sec: 2
  log_properties: "log.properties"
  daq:
    workspace: "ocm"
    stale_acquiring_hours: 18
    stale_merging_hours: 720
  dpm:
    req_endpoint: "zpb.rr://127.0.0.1:12350/"
    pub_endpoint: "zpb.ps://127.0.0.1:12351"
    timeout_sec: 5
"""

DPM = """\
cfg:
  workspace: "/absolute/path/to/workspace"
  req_endpoint: "zpb.rr://127.0.0.1:12085/"
  pub_endpoint: "zpb.ps://127.0.0.1:12086/"
  bin_merge: daqDpmMerge
  limits:
    daq: 2
    merge: 3
    net_receive: 5
    net_send: 0
"""


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable take part."""
    monkeypatch.delenv("CFGPATH", raising=False)
    monkeypatch.delenv("DATAROOT", raising=False)


def written(folder: Path, text: str, name: str = "config.yaml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def imported(folder: Path, *texts: str) -> dict[str, Any]:
    """Return the tables of what is made."""
    files = [written(folder, text, f"{number}.yaml") for number, text in enumerate(texts)]
    return tomllib.loads(import_daq_config(files).installation)


def test_the_example_of_both_servers_becomes_an_installation(tmp_path: Path) -> None:
    """With every setting where it belongs, and read as any installation."""
    tables = imported(tmp_path, OCM, DPM)
    component = tables["component"]
    assert tables["installation"] == {"data_root": "/absolute/output/path"}
    assert tables["name_server"] == {"address": "127.0.0.1:12340"}
    assert component["ocm"] == {
        "kind": "ocm",
        "instrument_id": "TEST",
        "workspace": "ocm",
        "stale_acquiring_hours": 18,
        "stale_merging_hours": 720,
        "dpm_timeout_s": 5,
    }
    assert component["dpm"] == {
        "kind": "dpm",
        "workspace": "/absolute/path/to/workspace",
        "request_port": 12085,
        "limits_daq": 2,
        "limits_merge": 3,
        "limits_net_receive": 5,
        "limits_net_send": 0,
    }
    assert {"events", "log", "alarms", "oldb"} <= set(component)


def test_every_key_is_accounted_for(tmp_path: Path) -> None:
    """With what it became, or why it became nothing."""
    keys = import_daq_config([written(tmp_path, OCM)]).keys
    assert [each.key for each in keys][:3] == ["cfg/instrument_id", "cfg/dataroot", "cfg/sm_scxml"]
    assert all(each.setting or each.why for each in keys)
    [levels] = [each for each in keys if each.key == "cfg/log_properties"]
    assert (levels.setting, "left out" in levels.why) == ("", True)


def test_a_file_of_levels_that_is_there_is_taken(tmp_path: Path) -> None:
    """Found beside the configuration, or over CFGPATH."""
    (tmp_path / "log.properties").write_text("")
    assert imported(tmp_path, OCM)["component"]["ocm"]["log_properties"] == "log.properties"


def test_the_installation_of_an_ocm_has_a_dpm(tmp_path: Path) -> None:
    """An OCM alone makes no products; a DPM alone may serve an OCM elsewhere."""
    assert imported(tmp_path, OCM)["component"]["dpm"] == {"kind": "dpm"}
    assert "ocm" not in imported(tmp_path, DPM)["component"]


def test_a_dpm_may_have_another_data_root(tmp_path: Path) -> None:
    """Its workspace stays where it was."""
    other = DPM.replace('workspace: "/absolute/path/to/workspace"', "dataroot: /other")
    tables = imported(tmp_path, OCM, other)
    assert tables["installation"]["data_root"] == "/absolute/output/path"
    assert tables["component"]["dpm"]["workspace"] == "/other/dpm"
    same = imported(tmp_path, OCM, other.replace("/other", "/absolute/output/path"))
    assert "workspace" not in same["component"]["dpm"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cfg:\n  instrument_id: X\n  nonsense: 1", "line 3: cfg/nonsense is no key of the ocm"),
        ("cfg:\n  instrumentid: X", "did you mean cfg/instrument_id"),
        (
            "cfg:\n  instrument_id: X\n  daq:\n    stale_merging_hours: -1",
            "line 4: .* whole number",
        ),
        ("cfg:\n  instrument_id: [X]", "line 2: cfg/instrument_id is not a text"),
        ("cfg:\n  dictionaries: 'x'", "cfg/dictionaries is not a list"),
        ("cfg:\n  instrument_id: X\n  req_endpoint: http://x", "is not an endpoint"),
        ("cfg:\n  instrument_id: X\n  instrument_id: Y", "stands there twice"),
        ("cfg:\n  instrument_id: !x Y", "tag !x is not known"),
        ("cfg:\n  dataroot: /x", "alike"),
        ("cfg:\n  instrument_id: lower", "instrument_id"),
        ("cfg: 3", "only top key must be cfg"),
        ("other:\n  a: b", "only top key must be cfg"),
        ("cfg: {", "not YAML"),
        ("", "empty"),
    ],
)
def test_a_fault_is_told(tmp_path: Path, text: str, said: str) -> None:
    """With file and line, and what to do."""
    with pytest.raises(BadParam) as caught:
        import_daq_config([written(tmp_path, text)])
    assert re.search(said, f"{caught.value.message} {caught.value.remedy}"), caught.value.explain()
    assert caught.value.remedy


def test_two_files_of_one_server_are_refused(tmp_path: Path) -> None:
    """Nobody could say which one is meant."""
    with pytest.raises(BadParam, match="second file of the ocm"):
        imported(tmp_path, OCM, OCM)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """As one that cannot be read."""
    with pytest.raises(BadParam, match="cannot be read"):
        import_daq_config([tmp_path / "none.yaml"])


def test_whose_it_is_can_be_said(tmp_path: Path) -> None:
    """Where the keys are those of both."""
    file = written(tmp_path, "cfg:\n  dataroot: /x\n")
    tables = tomllib.loads(import_daq_config([file], "dpm").installation)
    assert tables["installation"]["data_root"] == "/x"


@pytest.mark.parametrize("server", list(Server))
def test_every_target_is_a_setting(server: Server, tmp_path: Path) -> None:
    """Of the component, or of every component."""
    text = f"[component.it]\nkind = '{server}'\ninstrument_id = 'X'\n"
    text = text if server is Server.OCM else text.replace("instrument_id = 'X'\n", "")
    read = Installation(written(tmp_path, text, "it.toml"))
    known = set(read.settings("it").__struct_fields__) | set(read.common("it").__struct_fields__)
    targets = {each.target for each in KEYS[server].values() if each.target}
    own = {each.removeprefix("component.") for each in targets if each.startswith("component.")}
    assert own <= known
    assert targets - {f"component.{each}" for each in own} <= {
        "installation.data_root",
        "name_server.address",
    }


def test_the_how_to_has_every_key() -> None:
    """Key by key, as its reader expects."""
    page = Path(__file__).parents[3] / "docs" / "how-to" / "come-from-daq-ocm.md"
    text = page.read_text(encoding="utf-8")
    for key in {**OCM_KEYS, **DPM_KEYS}:
        assert f"`{key}`" in text, key
