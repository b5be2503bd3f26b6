"""The supervisor as a remote object."""

from __future__ import annotations

from collections.abc import Callable

from typing_extensions import override

from idl_like_interfaces.supervision import NoSuchPart, Supervisor, SupervisorStatus


class SupervisorServant(Supervisor):
    """Answers for who runs an installation.

    Args:
        status: Returns how all parts stand.
        request_restart: Asks for a part to be started again; tells whether there is one of
            this name.
    """

    def __init__(
        self, status: Callable[[], SupervisorStatus], request_restart: Callable[[str], bool]
    ) -> None:
        self._status = status
        self._request_restart = request_restart

    @override
    def get_status(self) -> SupervisorStatus:
        return self._status()

    @override
    def restart(self, part: str) -> None:
        if not self._request_restart(part):
            known = ", ".join(each.name for each in self._status().parts)
            raise NoSuchPart(
                f"the installation has no part {part!r}",
                part=part,
                remedy=f"choose one of {known}",
            )
