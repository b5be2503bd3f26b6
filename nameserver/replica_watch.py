"""The thread that keeps an eye on the other name server."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable

from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import CommFailure, PersistStore, RemoteError
from idl_like_interfaces.replication import ReplicaRole
from nameserver import replica_states as states
from nameserver.replica import Member, Replica
from nameserver.replica_leading import Leadership, wants_a_copy
from nameserver.replica_link import PeerLink

log = logging.getLogger(__name__)


class ReplicaWatch(Closing):
    """Beats as a leader, worries as a follower, asks as one who waits.

    Args:
        member: The state.
        replica: Our own.
        link: The other one.
        leadership: Makes copies.
        after_step: Called after each look.
    """

    def __init__(
        self,
        member: Member,
        replica: Replica,
        link: PeerLink,
        leadership: Leadership,
        after_step: Callable[[], None],
    ) -> None:
        self._member = member
        self._replica = replica
        self._link = link
        self._leadership = leadership
        self._after_step = after_step
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="peer watch", daemon=True)

    def start(self) -> None:
        """Begin, in a thread."""
        self._thread.start()

    @override
    def close(self) -> None:
        """End; the state is left as it is."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def step(self) -> None:
        """Look once."""
        state = self._member.state
        if state.leads and state.is_synced:
            self._leadership.beat()
            return
        if not self._is_content():
            self._ask()

    def _is_content(self) -> bool:
        state, member = self._member.state, self._member
        if state.role is not ReplicaRole.FOLLOWING:
            return state.role is ReplicaRole.ENDED
        return member.clock() < state.heard_at + member.timing.worry_s

    def _ask(self) -> None:
        member = self._member
        before = member.state
        try:
            answer = self._link.hello(before.standpoint)
        except CommFailure as error:
            log.debug("the other name server does not answer: %s", error)
            self._leadership.look_if_dead()
            return
        except RemoteError as error:
            self._cannot_talk(error)
            return
        self._replica.peer_state = f"is {answer.role}"
        after = member.change(
            lambda state: states.on_answer(
                state, answer, before.contacts, member.clock(), member.timing
            )
        )
        if wants_a_copy(after, answer):
            self._leadership.copy(answer)

    def _cannot_talk(self, error: RemoteError) -> None:
        """Note that it answers with a refusal: it lives, and is as good as silent."""
        what = f"refuses to talk: {error.message}"
        if self._replica.peer_state != what:
            log.error("the other name server %s", f"{what}; {error.remedy}")
        self._replica.peer_state = what
        member, asked = self._member, self._member.state.contacts
        member.change(
            lambda state: states.on_unanswered(state, asked, member.clock(), member.timing)
        )

    def _run(self) -> None:
        # Two that ask each other in step would each distrust what it heard.
        while not self._stop.wait(self._member.timing.beat_s * random.uniform(0.7, 1.1)):  # noqa: S311 (no secret)
            try:
                self.step()
                self._after_step()
            except PersistStore as error:
                log.error("%s", error.explain())
            except Exception:
                log.exception("a look at the other name server failed; the next one comes")
