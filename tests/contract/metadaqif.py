"""What every implementation of ``MetaDaq`` does, whatever carries it."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.io import fits

from idl_like_interfaces.metadaqif import MetaDaq, MetaDaqException, MetaDaqState


class MetaDaqContract:
    """Inherit it and give the fixture ``source``."""

    @pytest.fixture
    def source(self) -> MetaDaq:
        """Return a source without acquisitions."""
        raise NotImplementedError

    def test_a_given_id_is_echoed(self, source: MetaDaq) -> None:
        """The acquisition is active under it."""
        assert source.start_daq("a1").id == "a1"
        status = source.get_daq_status("a1")
        assert (status.id, status.state) == ("a1", MetaDaqState.ACQUIRING)
        assert status.start_time is not None
        assert (status.files, status.keywords) == ([], [])

    @pytest.mark.spec("ESO-178")
    def test_an_empty_id_is_replaced_by_a_unique_one(self, source: MetaDaq) -> None:
        """Each start gets another."""
        made = [source.start_daq("").id, source.start_daq().id]
        assert "" not in made
        assert made[0] != made[1]
        assert source.get_daq_status(made[0]).state is MetaDaqState.ACQUIRING

    @pytest.mark.spec("ESO-178")
    def test_an_id_is_used_once(self, source: MetaDaq) -> None:
        """Whether its acquisition is active, stopped or aborted."""
        source.start_daq("a1")
        with pytest.raises(MetaDaqException) as refused:
            source.start_daq("a1")
        assert refused.value.id == "a1"
        source.stop_daq("a1")
        source.abort_daq(source.start_daq("a2").id)
        for id in ("a1", "a2"):
            with pytest.raises(MetaDaqException):
                source.start_daq(id)

    @pytest.mark.spec("ESO-179")
    def test_files_are_closed_and_readable_when_a_stop_returns(self, source: MetaDaq) -> None:
        """With valid checksums; something was acquired, as files or keywords."""
        source.start_daq("a1")
        reply = source.stop_daq("a1")
        assert reply.id == "a1"
        assert reply.files or reply.keywords
        for file in reply.files:
            assert Path(file).is_absolute()
            with fits.open(file, checksum=True) as hdus:
                hdus.verify("exception")
                assert all(hdu.data is None or len(hdu.data) for hdu in hdus)

    @pytest.mark.spec("ESO-180")
    def test_past_acquisitions_can_be_asked_for(self, source: MetaDaq) -> None:
        """Their status repeats what the stop returned."""
        source.start_daq("a1")
        reply = source.stop_daq("a1")
        source.start_daq("a2")
        status = source.get_daq_status("a1")
        assert status.state is MetaDaqState.STOPPED
        assert (status.files, status.keywords) == (reply.files, reply.keywords)

    def test_an_abort_discards_the_data(self, source: MetaDaq) -> None:
        """The acquisition is Aborted and has neither files nor keywords."""
        source.start_daq("a1")
        assert source.abort_daq("a1").id == "a1"
        status = source.get_daq_status("a1")
        assert (status.state, status.files, status.keywords) == (MetaDaqState.ABORTED, [], [])

    def test_an_ended_acquisition_takes_no_command(self, source: MetaDaq) -> None:
        """It stays as it is."""
        source.start_daq("a1")
        source.stop_daq("a1")
        for command in (source.stop_daq, source.abort_daq):
            with pytest.raises(MetaDaqException) as refused:
                command("a1")
            assert (refused.value.id, bool(refused.value.remedy)) == ("a1", True)
        assert source.get_daq_status("a1").state is MetaDaqState.STOPPED

    def test_an_unknown_id_is_refused(self, source: MetaDaq) -> None:
        """By every command that names one."""
        for command in (source.stop_daq, source.abort_daq, source.get_daq_status):
            with pytest.raises(MetaDaqException) as refused:
                command("unheard-of")
            assert refused.value.id == "unheard-of"

    def test_an_id_that_cannot_name_a_file_is_refused(self, source: MetaDaq) -> None:
        """Nothing is started."""
        with pytest.raises(MetaDaqException):
            source.start_daq("../a1")
        with pytest.raises(MetaDaqException):
            source.get_daq_status("../a1")

    def test_an_id_that_is_too_long_for_a_file_is_refused(self, source: MetaDaq) -> None:
        """With the rule for ids, before anybody looks for its file."""
        with pytest.raises(MetaDaqException, match="cannot be the id"):
            source.start_daq("x" * 300)
