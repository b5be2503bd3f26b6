"""How pages are read, and how their steps are judged."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from tests.docs.driver import first_missing
from tests.docs.page import ROOT, Page
from tests.docs.test_snippets import run_page


def _page(text: str) -> Page:
    return Page(path=ROOT / "docs" / "sample.md", text=dedent(text))


_SAMPLE = """\
# A title: `obsorb` at work

See [the index](index.md#top "here") and `[no](link.md)`.

```python
x = 1
```

1. In a list:

   ```toml title="site.toml"
   a = 1
   [not](a-link.md)
   ```

<!-- run: console -->
```console
$ cat \\
  site.toml
a = ...
$ true
```
"""


def test_steps_come_in_the_order_of_the_page() -> None:
    """Code, files and commands are told apart, with their lines and without indentation."""
    python, file, cat, true = _page(_SAMPLE).steps()
    assert (python.kind, python.line, python.text) == ("python", 6, "x = 1\n")
    assert (file.kind, file.name, file.line) == ("file", "site.toml", 12)
    assert file.text == "a = 1\n[not](a-link.md)\n"
    assert (cat.kind, cat.text, cat.expected) == ("console", "cat \\\n  site.toml", ("a = ...",))
    assert (true.text, true.line, true.expected) == ("true", 21, ())


def test_commands_run_only_where_a_page_asks_for_it() -> None:
    """Without the mark a console fence is for reading."""
    kinds = {step.kind for step in _page(_SAMPLE.replace("<!-- run: console -->", "")).steps()}
    assert kinds == {"python", "file"}


def test_files_of_the_project_are_there_before_the_first_step() -> None:
    """Where a page names them, under their own names."""
    page = _page("<!-- files: examples/own_source.py -->\n\n```python\nx = 1\n```\n")
    first, second = page.steps()
    assert (first.kind, first.name, second.kind) == ("file", "own_source.py", "python")
    assert "CoreCamera" in first.text


def test_output_without_a_command_is_refused() -> None:
    """A console fence begins with a command."""
    page = _page("<!-- run: console -->\n```console\nhello\n```\n")
    with pytest.raises(ValueError, match="line 3: output without a command"):
        page.steps()


def test_links_and_anchors_are_those_of_the_prose() -> None:
    """What looks like a link inside code is none."""
    page = _page(_SAMPLE)
    assert page.links() == ["index.md#top"]
    assert page.anchors() == {"a-title-obsorb-at-work"}


@pytest.mark.parametrize(
    ("printed", "expected", "missing"),
    [
        (["a", "noise", "b 12 s"], ["a", "b ... s"], ""),
        (["b", "a"], ["a", "b"], "b"),
        (["a"], ["...", "a"], ""),
        (["a.c"], ["abc"], "abc"),
        ([], [], ""),
    ],
)
def test_expected_lines_are_looked_for_in_order(
    printed: list[str], expected: list[str], missing: str
) -> None:
    """Other lines may stand between; dots stand for anything, other signs for themselves."""
    assert first_missing(printed, expected) == missing


def test_a_page_runs_its_steps_in_one_place(tmp_path: Path) -> None:
    """Later steps see the names and files of earlier ones, and may import those."""
    page = _page(
        """
        <!-- run: console -->
        ```python
        from pathlib import Path
        text = "written"
        ```
        ```python title="texts.py"
        end = "!"
        ```
        ```python
        from __future__ import annotations
        from texts import end
        Path("a.txt").write_text(text + end)
        ```
        ```console
        $ cat a.txt
        written!
        ```
        """
    )
    assert run_page(page, tmp_path) == (0, "")


@pytest.mark.parametrize(
    ("fence", "complaint"),
    [
        ("```python\nx = 1\n1 / 0\n```", 'sample.md", line 3, in <module>'),
        ("```python\nimport warnings\nwarnings.warn('old', stacklevel=1)\n```", "UserWarning: old"),
        ("```console\n$ false | true\n```", "ended with 1"),
        ("```console\n$ echo no\nyes\n```", "did not print 'yes'"),
        ('```toml title="../x"\n```', "may not write outside"),
    ],
)
def test_a_page_that_does_not_hold_is_told_with_the_place(
    tmp_path: Path, fence: str, complaint: str
) -> None:
    """Exceptions, warnings, failing commands, other output, odd files."""
    code, output = run_page(_page(f"{fence}\n<!-- run: console -->\n"), tmp_path)
    assert code == 1
    assert complaint in output
    assert "docs/sample.md:" in output


def test_a_program_may_stay_beside_the_steps_that_follow(tmp_path: Path) -> None:
    """It is waited for until it has said what is expected, and ended by Ctrl-C."""
    page = _page(
        """
        <!-- run: console -->
        ```console stays
        $ python stay.py
        ready
        ```
        ```console
        $ cat here.txt
        yes
        ```
        """
    )
    (tmp_path / "stay.py").write_text(
        "import pathlib, signal\n"
        "signal.signal(signal.SIGINT, lambda *_: exit(0))\n"
        "pathlib.Path('here.txt').write_text('yes')\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    assert run_page(page, tmp_path) == (0, "")


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("echo other", "did not print 'ready'"),
        ("python -c 'import signal; print(\"ready\", flush=True); signal.pause()'", "ended with"),
    ],
)
def test_a_program_that_does_not_stay_fails_its_page(
    tmp_path: Path, command: str, complaint: str
) -> None:
    """It must say what is expected, and end well."""
    page = _page(f"<!-- run: console -->\n```console stays\n$ {command}\nready\n```\n")
    code, output = run_page(page, tmp_path)
    assert code == 1
    assert complaint in output
