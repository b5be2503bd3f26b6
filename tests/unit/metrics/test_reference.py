"""The reference page of the metrics is complete."""

from __future__ import annotations

from pathlib import Path

import msgspec

from objects.metrics.component import MetricsSettings
from objects.metrics.gathering import Gathering
from tests.support.site import FakeSite

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"


def test_every_metric_stands_on_the_page_with_its_type(tmp_path: Path) -> None:
    """Also those that tell of the gathering itself."""
    text = PAGE.read_text(encoding="utf-8")
    with Gathering(FakeSite(tmp_path), 1.0) as gathering:
        found = list(gathering.collect())
    assert len(found) == 11
    for family in found:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert f"| `{name}` | {family.type} |" in text, name


def test_every_setting_stands_on_the_page_with_its_default() -> None:
    """As it is declared."""
    text = PAGE.read_text(encoding="utf-8")
    for field in msgspec.structs.fields(MetricsSettings):
        (line,) = [each for each in text.splitlines() if each.startswith(f"| `{field.name}` |")]
        default = f"{field.default:g}" if isinstance(field.default, float) else f"{field.default}"
        assert line.rstrip("| ").endswith(f"| {default}") or f"`{default}`" in line
