"""A throttle for what is open to everybody: so much at once, and so much a second after that, for each address."""

import threading
import time
from collections import OrderedDict


class Throttle:
    """A bucket of `burst` units for each key that fills again by `rate` units a second; nothing outlives the process."""

    MOST_KEYS = 10_000

    def __init__(self, *, burst: float, rate: float) -> None:
        self.burst = burst
        self.rate = rate
        self.left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self.lock = threading.Lock()

    def wait(self, key: str, cost: float = 1, *, now: float | None = None) -> int:
        """Take `cost` units, and return 0, or the whole seconds after which there are enough; then nothing is taken."""
        now = time.monotonic() if now is None else now
        with self.lock:
            level, seen = self.left.pop(key, (self.burst, now))
            level = min(self.burst, level + (now - seen) * self.rate)
            enough = level >= cost
            self.left[key] = (level - cost if enough else level, now)
            if len(self.left) > self.MOST_KEYS:
                self.left.popitem(last=False)
        return 0 if enough else int((cost - level) / self.rate) + 1
