"""The three forms are read into the same records; what is wrong is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

import controller.demo
from idl_like_interfaces.dictionaries import DictionaryForm, DictionaryRecord, ValueType
from objects.dictionaries.flaws import BadDictionary
from objects.dictionaries.reading import parse_dictionary, read_dictionary
from tests.support.dictionaries import CLASSIC, classic

SHIPPED = Path(str(controller.demo.__file__)).with_name("dictionary")

YAML = """\
Header:
  Name: test
  Scope: FITS
INS(#) FILT# ID:
  Class: (FITS)
  Type: String
  Format: .20s
  Default: None
  Unit:
  Range: ()
  Comment: Filter
  Tags: ()
  Description: |
    Which filter
    it is.
"""

DID = """\
!cfg.include share/did.schema.yaml:
header: !cfg.type:DidHeader
  name: test.did.yaml
  scope: Generic
  description: |
    For tests.
INS SHUT ST: !cfg.type:DidBoolKey
  comment: Shutter open
  description: |
    T when it was.
"""


def bare(record: DictionaryRecord) -> DictionaryRecord:
    return replace(record, dictionary="", line=0)


def flaws_of(name: str, text: str | bytes) -> list[str]:
    """Read a faulty dictionary and return what is told, a line each."""
    octets = text.encode() if isinstance(text, str) else text
    with pytest.raises(BadDictionary) as refused:
        parse_dictionary(name, octets)
    assert refused.value.path == name
    assert refused.value.line == refused.value.flaws[0].line
    return refused.value.message.splitlines()


def test_the_shipped_dictionary_is_the_same_in_three_forms() -> None:
    """Classic, YAML, and YAML with tags; without a note."""
    read = [
        read_dictionary(SHIPPED / name)
        for name in ("ESO-VLT-DIC.OBSORB", "obsorb.yaml", "obsorb.did.yaml")
    ]
    assert [each.form for each in read] == list(DictionaryForm)
    records = [[bare(record) for record in each.records] for each in read]
    assert records[0] == records[1] == records[2]
    assert len(records[0]) > 50
    assert not [note for each in read for note in each.notes]


def test_a_classic_record_is_read_whole() -> None:
    """With line, range and classes."""
    read = classic()
    assert (read.name, read.scope, read.form) == (
        "ESO-VLT-DIC.TEST",
        "TEST",
        DictionaryForm.CLASSIC,
    )
    assert read.records[0] == DictionaryRecord(
        name="EXPTIME",
        type=ValueType.DOUBLE,
        format="%.3f",
        unit="s",
        lowest=0,
        highest=3600,
        comment="[s] Integration time",
        description="How long.",
        classes=["header"],
        context="Instrument",
        dictionary="ESO-VLT-DIC.TEST",
        line=4,
    )
    assert read.records[2].choices == ["OPEN", "RED", "BLUE"]


def test_old_classic_files_are_read() -> None:
    """Latin-1, DOS line ends, the older name of the comment, a description that is not indented."""
    text = (
        "# remark: of somebody\r\nDictionary Name: ESO-VLT-DIC.OLD\r\nScope: OLD\r\n\r\n"
        "Revision: 1\r\nDescription: first\r\nRevision: 2\r\nDescription: second\r\n\r\n"
        "Parameter Name:  TEL TEMP\r\nClass: header|setup\r\nType: FLOAT\r\nComment Field: Warm\r\n"
        "Description: in °C\r\nNote: not above 20\r\n  and dry\r\n"
    )
    read = parse_dictionary("ESO-VLT-DIC.OLD", text.encode("latin-1"))
    (found,) = read.records
    assert found.type is ValueType.DOUBLE
    assert found.comment == "Warm"
    assert found.description == "in °C Note: not above 20 and dry"
    assert found.classes == ["header", "setup"]


def test_what_does_not_matter_is_noted() -> None:
    """Odd classes, another file name."""
    read = classic(CLASSIC.replace("Class:             header", "Class: header|headr"), "other")
    assert read.notes == [
        "the file is named other, the dictionary ESO-VLT-DIC.TEST",
        "classes that nobody knows: headr",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("%.3f", "%.3g", "ESO-VLT-DIC.TEST:8: Value Format: '%.3g': the conversion g is forbidden"),
        ("double", "complex", "ESO-VLT-DIC.TEST:7: Type: there is no type 'complex' (of EXPTIME)"),
        (
            "Type:              string\nValue",
            "Value",
            ":14: Type: the field is missing (of OBJECT)",
        ),
        ("EXPTIME", "exptime", ":4: Parameter Name: 'exptime' is not made of words"),
        ("OBJECT", "EXPTIME", ":14: Parameter Name: EXPTIME stands in line 4 already"),
        ("Unit: ", "Units: ", ":9: Units: there is no such field"),
        ("(0, 3600)", "(5, 1)", ":10: Range: the lower end 5 is above the upper end 1"),
        ("(0, 3600)", "(5)", ":10: Range: a range of numbers has two ends"),
        ("(0, 3600)", "(0, much)", ":10: Range: 'much' is not a number"),
        ("Value Format:      %c", "Range: (F, T)", "Range: a logical value has no range"),
        ("(0, 3600)", "(0, nan)", ":10: Range: 'nan' is not a number"),
        ("(1, )", "(1.5, )", "Range: '1.5' is not an integer"),
        ("Target", "Target °", "Comment Format: 'Target °' has characters that no FITS header"),
        ("Unit:              s", "Unit", ":9: 'Unit' is not of the form field: value"),
        ("Type:              double", "Type: double\nType: double", ":8: Type: stands in line 7"),
    ],
)
def test_flaws_of_a_classic_file_are_told_with_line_and_field(
    old: str, new: str, told: str
) -> None:
    """As compilers do."""
    assert old in CLASSIC
    (line,) = flaws_of("ESO-VLT-DIC.TEST", CLASSIC.replace(old, new, 1))
    assert told in line


def test_all_flaws_are_told_at_once() -> None:
    """So a long file is corrected in one go; of very many the first ones."""
    text = CLASSIC.replace("%.3f", "%g").replace("%.20s", "%x").replace("logical", "bool")
    assert len(flaws_of("x", text)) == 3
    many = "Dictionary Name: X\n" + "".join(f"Parameter Name: A{n}\n" for n in range(500))
    told = flaws_of("x", many)
    assert told[-1] == "and 495 more; see them with `obsorb dictionary check x`"
    assert len(told) == 6


@pytest.mark.parametrize("text", ["", "\n\n", "Scope: X\n", "no dictionary", "\0\x01\x02"])
def test_what_is_no_classic_dictionary_is_refused(text: str) -> None:
    """With the hint what is missing."""
    assert any("Dictionary Name: the field is missing" in line for line in flaws_of("x", text))


def test_plain_yaml_is_read() -> None:
    """Placeholders, a format without percent sign, None for nothing."""
    read = parse_dictionary("a/test.yaml", YAML.encode())
    assert read.form is DictionaryForm.YAML
    assert read.records == [
        DictionaryRecord(
            name="INS(#) FILT# ID",
            type=ValueType.STRING,
            format="%.20s",
            comment="Filter",
            description="Which filter it is.",
            classes=["FITS"],
            dictionary="test",
            line=4,
        )
    ]


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("Boolean", ValueType.LOGICAL),
        ("Int32", ValueType.INTEGER),
        ("UInt64", ValueType.INTEGER),
        ("Double", ValueType.DOUBLE),
        ("String", ValueType.STRING),
    ],
)
def test_types_of_plain_yaml(name: str, type: ValueType) -> None:
    """Those of its family."""
    text = f"Header: {{Name: x}}\nNO:\n  Type: {name}\n"
    (found,) = parse_dictionary("x.yml", text.encode()).records
    assert (found.name, found.type) == ("NO", type)


def test_keys_that_yaml_takes_for_other_things_are_names() -> None:
    """Norway, booleans, numbers, null."""
    text = "Header: {Name: x}\n" + "".join(
        f"{name}: {{Type: Boolean}}\n" for name in ("NO", "ON", "Y", "1E5", "NULL")
    )
    read = parse_dictionary("x.yaml", text.encode())
    assert [each.name for each in read.records] == ["NO", "ON", "Y", "1E5", "NULL"]


@pytest.mark.parametrize("range", ["(0, 360)", "[0, 360]", "[0, '360']", "'0, 360'"])
def test_a_range_may_be_a_text_or_a_list(range: str) -> None:
    """Both are two ends."""
    text = f"Header: {{Name: x}}\nRA:\n  Type: Double\n  Range: {range}\n"
    (found,) = parse_dictionary("x.yaml", text.encode()).records
    assert (found.lowest, found.highest) == (0, 360)


def test_choices_may_be_quoted() -> None:
    """Then blanks in them stay."""
    text = "Header: {Name: x}\nA:\n  Type: String\n  Range: \"('A B', C)\"\n"
    (found,) = parse_dictionary("x.yaml", text.encode()).records
    assert found.choices == ["A B", "C"]


def test_an_empty_yaml_file_is_refused() -> None:
    """It has no header."""
    assert flaws_of("x.yaml", "# nothing\n") == ["x.yaml: the file is empty"]
    assert "x.yaml:1: the top of a dictionary is a mapping" in flaws_of("x.yaml", "- a\n")[0]


def test_what_is_included_is_told() -> None:
    """It is not followed."""
    text = YAML.replace("  Scope: FITS", "  Scope: FITS\n  Include: (one.yaml, two.yaml)")
    (note,) = parse_dictionary("x.yaml", text.encode()).notes
    assert "one.yaml, two.yaml" in note


def test_yaml_with_tags_is_read() -> None:
    """The known tag, and those that follow from it."""
    more = (
        "EXPTIME: !cfg.type:DidDoubleKey {format: '%.3f', unit: s, range: [0, 10]}\n"
        "DET NDIT: !cfg.type:DidIntKey\n  comment: Number\n"
        "OBJECT: !cfg.type:DidStringKey {range: '(A, B)'}\n"
    )
    read = parse_dictionary("in/test.did.yaml", (DID + more).encode())
    assert read.form is DictionaryForm.DID
    assert [(each.name, each.type) for each in read.records] == [
        ("INS SHUT ST", ValueType.LOGICAL),
        ("EXPTIME", ValueType.DOUBLE),
        ("DET NDIT", ValueType.INTEGER),
        ("OBJECT", ValueType.STRING),
    ]
    assert read.records[1].highest == 10
    assert read.records[3].choices == ["A", "B"]
    assert read.notes == []


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        (
            "x.yaml",
            "Type: String",
            "Type: Text",
            "x.yaml:6: INS(#) FILT# ID.Type: there is no type",
        ),
        ("x.yaml", "  Type: String\n", "", "x.yaml:4: INS(#) FILT# ID.Type: the field is missing"),
        ("x.yaml", "Format: .20s", "Format: g", "x.yaml:7: INS(#) FILT# ID.Format: '%g'"),
        ("x.yaml", "Format: .20s", "Fromat: .20s", "x.yaml:7: INS(#) FILT# ID.Fromat: there is no"),
        (
            "x.yaml",
            "Comment: Filter",
            "Comment: [a]",
            "x.yaml:11: INS(#) FILT# ID.Comment: must be",
        ),
        ("x.yaml", "  Name: test\n", "", "x.yaml:1: Header.Name: the field is missing"),
        ("x.yaml", "Header:", "Heder:", "x.yaml:1: Header: there is none"),
        ("x.yaml", "INS(#) FILT# ID:\n", "X: 1\nA:\n", "x.yaml:4: X: must be a mapping of fields"),
        ("x.yaml", "Range: ()", "Range: *a", "x.yaml:10: aliases"),
        ("x.yaml", "Range: ()", "Range: [[[[a]]]]", "x.yaml:10: nested deeper"),
        ("x.yaml", "Range: ()", "Range: ()\n---\na: b", "there is a second document"),
        ("x.yaml", "Range: ()", "Range: (\t]: [", "x.yaml:10: not YAML"),
        ("x.yaml", "Unit:", "Comment: a\n  Unit:", "x.yaml:12: INS(#) FILT# ID.Comment: stands in"),
        ("x.yaml", "Header:", "Header: {Name: x}\nHeader:", "x.yaml:2: Header: stands in line 1"),
        (
            "x.yaml",
            "Class: (FITS)",
            "Class: [{}]",
            "x.yaml:5: INS(#) FILT# ID.Class: must be a list",
        ),
        ("x.yaml", "Header:", "? {a: b}\n: c\nHeader:", "x.yaml:1: a key is a text"),
        ("x.yaml", "Filter", "Fil\0ter", "x.yaml: not YAML"),
        ("x.did.yaml", "header:", "heder:", "x.did.yaml:1: header: there is none"),
        ("x.did.yaml", "INS SHUT ST:", "header: {}\nA:", "x.did.yaml:7: header: stands in line 2"),
        ("x.did.yaml", "DidBoolKey", "DidBolKey", "x.did.yaml:7: INS SHUT ST: there is no tag"),
        (
            "x.did.yaml",
            " !cfg.type:DidBoolKey",
            "",
            "x.did.yaml:8: INS SHUT ST: the tag is missing",
        ),
        (
            "x.did.yaml",
            "!cfg.type:DidBoolKey",
            "!!python/name:os.system",
            "there is no tag !tag:yaml",
        ),
        ("x.did.yaml", "DidHeader", "DidHead", "x.did.yaml:2: header: its tag must be"),
        ("x.did.yaml", "  name: test.did.yaml\n", "", "header.name: the field is missing"),
    ],
)
def test_flaws_of_yaml_are_told_with_line_and_field(
    name: str, old: str, new: str, told: str
) -> None:
    """In both forms."""
    text = DID if name.endswith(".did.yaml") else YAML
    assert old in text
    assert told in "\n".join(flaws_of(name, text.replace(old, new, 1)))


def test_a_file_that_is_not_utf8_yaml_is_refused() -> None:
    """With the line."""
    assert flaws_of("x.yaml", b"a: b\nc: \xff\n") == ["x.yaml:2: not UTF-8: invalid start byte"]


@pytest.mark.spec("ESO-174")
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Missing, a folder, or much too long."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(BadDictionary, match="cannot be read"):
            read_dictionary(path)
    long = tmp_path / "long"
    with long.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    with pytest.raises(BadDictionary, match="longer than 32 MiB"):
        read_dictionary(long)


def test_hostile_yaml_ends_soon() -> None:
    """A bomb of aliases and brackets without end are refused, not expanded."""
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    assert any("aliases" in line for line in flaws_of("x.yaml", bomb))
    assert any("nested deeper" in line for line in flaws_of("x.yaml", "a: " + "[" * 100_000))
    assert any("nested deeper" in line for line in flaws_of("x.yaml", "{a: " * 100_000))
