"""Usage by network address, stored beside the runs, so that it outlives them.

An address is written down as a keyed hash. What was noted is forgotten after a day, or with its run, if that
is later.
"""

import hmac
import json
import logging
import secrets
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from aigc_demo.core.errors import DemoError
from aigc_demo.core.files.atomic import disk_errors, write_atomically

FILE = ".usage.json"
DAY_SECONDS = 24 * 3600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Use:
    """One run of a visitor.

    Attributes:
        address: keyed hash of the network address; "" where it was not known.
        time: when it was ordered, in seconds of the system's clock.
        minutes: that it asked for, and once it has ended, that it took.
        disk_mib: that it is expected to take in the end.
    """

    address: str
    time: float
    minutes: float
    disk_mib: float = 0.0


class Usage:
    """The record of usage; thread-safe.

    Args:
        folder: of the runs; it need not be there yet.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._lock = threading.Lock()
        self._key = ""
        self._uses: dict[str, Use] | None = None

    def note(self, name: str, address: str, minutes: float, disk_mib: float = 0.0) -> None:
        """A visitor has ordered or uploaded a run.

        Raises:
            DemoError: the disk does not take it.
        """
        with self._lock:
            uses = self._known()
            uses[name] = Use(self._hashed(address), time.time(), minutes, disk_mib)
            self._save()

    def took(self, name: str, minutes: float) -> None:
        """A run has ended, after so many minutes in all."""
        with self._lock:
            uses = self._known()
            if name in uses:
                uses[name] = replace(uses[name], minutes=minutes)
                try:
                    self._save()
                except DemoError as error:  # it counts for more than it was until the next one is noted
                    log.warning("what a run took is not written down: %s", error)

    def minutes_of(self, address: str) -> float:
        """Minutes that an address has asked for or taken in the last 24 hours."""
        with self._lock:
            mine, after = self._hashed(address), time.time() - DAY_SECONDS
            return sum(
                use.minutes for use in self._known().values() if use.address == mine and use.time > after
            )

    def names_of(self, address: str) -> set[str]:
        """The runs of an address."""
        with self._lock:
            mine = self._hashed(address)
            return {name for name, use in self._known().items() if use.address == mine}

    def minutes(self, name: str) -> float:
        """What a run has asked for; 0 for one that no visitor ordered."""
        with self._lock:
            use = self._known().get(name)
            return use.minutes if use else 0.0

    def disk_mib(self, name: str) -> float:
        """What a run is expected to take on the disk; 0 where nobody said."""
        with self._lock:
            use = self._known().get(name)
            return use.disk_mib if use else 0.0

    def names(self) -> list[str]:
        """The runs that visitors ordered or uploaded, the oldest first."""
        with self._lock:
            uses = self._known()
            return sorted(uses, key=lambda name: uses[name].time)

    def _hashed(self, address: str) -> str:
        self._known()
        return (
            hmac.digest(self._key.encode(), address.encode("utf-8", "replace"), "sha256").hex()
            if address
            else ""
        )

    def _known(self) -> dict[str, Use]:
        if self._uses is None:
            facts = self._read()
            self._key = str(facts.get("key") or secrets.token_hex(16))
            uses: Any = facts.get("uses")
            self._uses = _uses(uses if isinstance(uses, dict) else {})
        return self._uses

    def _read(self) -> dict[str, Any]:
        try:
            facts = json.loads((self._folder / FILE).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return facts if isinstance(facts, dict) else {}

    def _save(self) -> None:
        uses, after = self._known(), time.time() - DAY_SECONDS
        gone = [name for name, use in uses.items() if use.time < after and not (self._folder / name).is_dir()]
        for name in gone:
            del uses[name]
        content = {"key": self._key, "uses": {name: asdict(use) for name, use in uses.items()}}
        with disk_errors(self._folder):
            write_atomically(self._folder / FILE, json.dumps(content))


def _uses(facts: dict[str, Any]) -> dict[str, Use]:
    """The recorded entries, as far as they can be read."""
    found = {}
    for name, use in facts.items():
        try:
            found[name] = Use(
                str(use["address"]), float(use["time"]), float(use["minutes"]), float(use.get("disk_mib", 0))
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
    return found
