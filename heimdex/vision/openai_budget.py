"""How many pictures may be sent in a day."""

import threading
from collections import deque
from collections.abc import Callable
from time import monotonic

_DAY_S = 24 * 3600.0


class DailyBudget:
    """Grants at most `most` in any 24 hours to the threads of this process."""

    def __init__(self, most: int, clock: Callable[[], float] = monotonic) -> None:
        self._most = most
        self._clock = clock
        self._granted: deque[float] = deque()
        self._counting = threading.Lock()

    def grant(self, number: int) -> bool:
        """Take so many from the budget; False, and none taken, when fewer are left."""
        with self._counting:
            now = self._clock()
            while self._granted and self._granted[0] <= now - _DAY_S:
                self._granted.popleft()
            if len(self._granted) + number > self._most:
                return False
            self._granted.extend([now] * number)
            return True
