"""What every implementation of ``ProjectService`` does, whatever carries it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.project import (
    NoSuchVersion,
    Origin,
    ProjectChange,
    ProjectInformation,
    ProjectService,
    VersionConflict,
)

DEFAULTS = {"project": "commissioning", "operator": "nobody yet", "flight": "", "context": {}}
"""What the implementation is to have as defaults; there is no master file."""


class ProjectServiceContract:
    """Inherit it and give the fixture ``service``."""

    @pytest.fixture
    def service(self) -> Iterator[ProjectService]:
        """Yield a project service that has never been changed, with the above defaults."""
        raise NotImplementedError

    def test_version_1_is_made_of_the_presets(self, service: ProjectService) -> None:
        """Nobody has to set anything before it can be read."""
        first = service.get()
        assert (first.project, first.operator, first.flight) == (
            "commissioning",
            "nobody yet",
            "",
        )
        assert (first.version, first.context) == (1, {})

    def test_a_change_leaves_the_rest_as_it_is(self, service: ProjectService) -> None:
        """What is not given stays; the version grows by one; time and person are kept."""
        service.set(ProjectChange(project="HD 101998", flight="night 7"), "anna")
        second = service.set(ProjectChange(operator="Anna B.", comment="shift begins"), "anna")
        assert (second.project, second.operator, second.flight) == (
            "HD 101998",
            "Anna B.",
            "night 7",
        )
        assert (second.version, second.comment) == (3, "shift begins")
        assert second.changed_by == "anna"
        assert service.get() == second

    def test_entries_of_the_context_are_set_and_removed_one_by_one(
        self, service: ProjectService
    ) -> None:
        """An empty text removes an entry; the others stay."""
        service.set(ProjectChange(context={"iop": "7", "campaign": "VORTEX", "leg": "2"}))
        left = service.set(ProjectChange(context={"leg": "", "iop": "8", "unknown": ""}))
        assert left.context == {"iop": "8", "campaign": "VORTEX"}

    def test_every_version_can_be_read_again(self, service: ProjectService) -> None:
        """Nothing is overwritten; any alphabet survives."""
        texts = ["night 1", "nuit 2, été", "第三夜"]
        made = [service.set(ProjectChange(flight=each)) for each in texts]
        assert [service.get(each.version) for each in made] == made
        assert [each.flight for each in made] == texts

    def test_a_change_that_changes_nothing_makes_no_version(self, service: ProjectService) -> None:
        """To set what is set already is harmless; with a comment it is worth a version."""
        set_ = service.set(ProjectChange(project="X-1"))
        assert service.set(ProjectChange(project="X-1")) == set_
        assert service.set(ProjectChange()) == set_
        assert service.set(ProjectChange(project="X-1", comment="really")).version == 3

    def test_the_comment_is_that_of_the_version(self, service: ProjectService) -> None:
        """A change without a comment does not repeat the last one."""
        service.set(ProjectChange(flight="a", comment="why a"))
        assert service.set(ProjectChange(flight="b")).comment == ""

    def test_the_history_has_the_newest_first(self, service: ProjectService) -> None:
        """It is given in pages."""
        for each in "abcd":
            service.set(ProjectChange(flight=each))
        assert [each.flight for each in service.history()] == ["d", "c", "b", "a", ""]
        assert [each.version for each in service.history(2)] == [5, 4]
        assert [each.version for each in service.history(2, before=4)] == [3, 2]
        assert service.history(10, before=1) == []

    @pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 1001}, {"before": -1}])
    def test_a_page_that_is_none_is_refused(
        self, service: ProjectService, wrong: dict[str, int]
    ) -> None:
        """The refusal names the argument."""
        with pytest.raises(BadParam) as refused:
            service.history(**wrong)
        assert refused.value.field in wrong

    @pytest.mark.parametrize("version", [2, -1, 2**60])
    def test_a_version_that_was_never_made_is_refused(
        self, service: ProjectService, version: int
    ) -> None:
        """The refusal says which."""
        with pytest.raises(NoSuchVersion) as refused:
            service.get(version)
        assert (refused.value.name, refused.value.version) == ("", version)
        assert refused.value.remedy

    def test_who_has_seen_an_old_version_changes_nothing(self, service: ProjectService) -> None:
        """The refusal says who was quicker; with the right version it is made."""
        service.set(ProjectChange(operator="Bert"), "bert")
        with pytest.raises(VersionConflict) as refused:
            service.set(ProjectChange(operator="Anna"), "anna", expected_version=1)
        assert (refused.value.version, refused.value.changed_by) == (2, "bert")
        assert service.get().operator == "Bert"
        assert service.set(ProjectChange(operator="Anna"), "anna", 2).version == 3

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            (ProjectChange(project=""), "change.project"),
            (ProjectChange(operator="   "), "change.operator"),
            (ProjectChange(flight="two\nlines"), "change.flight"),
            (ProjectChange(flight="f" * 256), "change.flight"),
            (ProjectChange(context={"": "x"}), "change.context"),
            (ProjectChange(context={"a=b": "x"}), "change.context"),
            (ProjectChange(context={"n" * 65: "x"}), "change.context"),
            (ProjectChange(context={"iop": "bell\a"}), "change.context.iop"),
            (ProjectChange(comment="c" * 1001), "change.comment"),
            (ProjectChange(context={f"entry{n}": "x" for n in range(101)}), "change.context"),
        ],
    )
    def test_what_cannot_stand_in_a_file_is_refused(
        self, service: ProjectService, change: ProjectChange, field: str
    ) -> None:
        """The field is named, and nothing of the change is made."""
        with pytest.raises(BadParam) as refused:
            service.set(change)
        assert refused.value.field == field
        assert service.get().version == 1

    def test_who_changes_it_must_be_sayable(self, service: ProjectService) -> None:
        """A name with control characters is refused."""
        with pytest.raises(BadParam) as refused:
            service.set(ProjectChange(flight="a"), "an\x1b[31mna")
        assert refused.value.field == "by"

    def test_the_presets_offer_the_last_session_before_the_defaults(
        self, service: ProjectService
    ) -> None:
        """Of each field all that there is, what is to be taken first at the front."""
        changed = service.set(ProjectChange(project="VORTEX", context={"iop": "7"}))
        found = [(each.field, each.value, each.origin) for each in service.presets()]
        assert found == [
            ("project", "VORTEX", Origin.LAST_SESSION),
            ("project", "commissioning", Origin.DEFAULT),
            ("operator", "nobody yet", Origin.LAST_SESSION),
            ("operator", "nobody yet", Origin.DEFAULT),
            ("context.iop", "7", Origin.LAST_SESSION),
        ]
        since = {each.field: each.since for each in service.presets() if each.since}
        assert since["project"] == changed.changed

    def test_changes_at_the_same_time_are_all_made(self, service: ProjectService) -> None:
        """Each is a version of its own, and none is lost."""

        def change(number: int) -> ProjectInformation:
            return service.set(ProjectChange(context={f"entry{number}": "set"}))

        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(change, range(20)))
        assert {each.version for each in made} == set(range(2, 22))
        assert len(service.get().context) == 20
