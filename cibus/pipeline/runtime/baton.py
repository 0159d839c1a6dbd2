"""One branch of the script runs at a time, as on Jenkins' CPS VM thread."""

from __future__ import annotations

import collections
import threading


class Baton:
    """A lock that is handed on in the order of asking.

    A branch holds it while its Groovy code runs and while Python works for it; it gives it away where Jenkins would
    suspend the branch. Scripts therefore need no locks around the variables that branches share.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held = False
        self._waiting: collections.deque[threading.Lock] = collections.deque()

    def acquire(self) -> None:
        """Waits for the turn."""
        with self._mutex:
            if not self._held:
                self._held = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def reserve(self) -> threading.Lock:
        """A place in the row for a thread that is yet to start; its turn comes when it can acquire what this gives. For who holds the baton."""
        turn = threading.Lock()
        turn.acquire()
        with self._mutex:
            self._waiting.append(turn)
        return turn

    def withdraw(self, turns: list[threading.Lock]) -> None:
        """Gives places back that no thread will take, before the baton was given away."""
        with self._mutex:
            for turn in turns:
                self._waiting.remove(turn)

    def release(self) -> None:
        """Gives it to who has waited longest."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False

    def give_way(self) -> None:
        """Lets the others have a turn first, if any wait."""
        if self._waiting:
            self.release()
            self.acquire()
