"""What a host allows to visitors: two presets, and an environment variable for each number of them.

`AIGC_DEMO_PRESET` is `classroom` (people who know each other, perhaps behind one address) or `public`
(anybody); a Space begins with `public`. A limit that is 0 is none. docs/hosting.md has the table.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from aigc_demo.core.config import Settings, setting
from aigc_demo.core.errors import InputError

PREFIX = "AIGC_DEMO_"
PRESET = PREFIX + "PRESET"
MANY = 10**7


@dataclass(frozen=True)
class Limits(Settings):
    """The limits of a host. The defaults are those of a classroom.

    A visitor is a browser, and clears that with its cookies; an address is that of the network.
    """

    runs_per_visitor: int = setting(3, "runs of one visitor that train or wait", low=0, high=MANY)
    runs_per_address: int = setting(40, "the same of one network address", low=0, high=MANY)
    runs_waiting: int = setting(20, "runs that wait, of all visitors", low=0, high=MANY)
    run_minutes: int = setting(60, "the longest that one run trains", low=1, high=MANY)
    minutes_per_address: int = setting(0, "minutes of training of one address in 24 hours", low=0, high=MANY)
    minutes_waiting: int = setting(0, "minutes that all runs that train or wait ask for", low=0, high=MANY)
    run_memory_mib: int = setting(0, "memory that one run takes; 0: 60 % of the machine's", low=0, high=MANY)
    run_disk_mib: int = setting(500, "disk that one run takes", low=0, high=MANY)
    disk_mib_per_visitor: int = setting(1000, "disk that the runs of one visitor take", low=0, high=MANY)
    disk_mib_per_address: int = setting(5000, "the same of one address", low=0, high=MANY)
    disk_mib: int = setting(20_000, "disk that the runs of all visitors take", low=0, high=MANY)
    delete_oldest: bool = setting(
        False, "whether the oldest ended runs of visitors go when that disk is full"
    )
    upload_mib_per_address: int = setting(2000, "uploads of one address in an hour", low=0, high=MANY)
    upload_mib: int = setting(5000, "uploads of all addresses in an hour", low=0, high=MANY)
    calls_per_address: int = setting(0, "calls of models that one address has at once", low=0, high=MANY)
    share_runs: bool = setting(True, "whether a run is shown to others where its owner says nothing")
    proxy_header: str = setting("", "the header in which a trusted proxy names the caller's address")
    proxies: int = setting(1, "how many proxies add to that header", low=1, high=10)


PUBLIC: Mapping[str, Any] = {
    "runs_per_visitor": 2,
    "runs_per_address": 2,
    "runs_waiting": 12,
    "run_minutes": 15,
    "minutes_per_address": 60,
    "minutes_waiting": 120,
    "run_disk_mib": 200,
    "disk_mib_per_visitor": 400,
    "disk_mib_per_address": 600,
    "disk_mib": 4000,
    "delete_oldest": True,
    "upload_mib_per_address": 200,
    "upload_mib": 1000,
    "calls_per_address": 8,
    "share_runs": False,
}
PRESETS: Mapping[str, Mapping[str, Any]] = {"classroom": {}, "public": PUBLIC}


def limits_of_host(environment: Mapping[str, str] | None = None) -> Limits:
    """The limits that the environment sets.

    Args:
        environment: by default that of this process.

    Raises:
        InputError: a preset is unknown, or a value does not fit.
    """
    given = os.environ if environment is None else environment
    preset = given.get(PRESET, "").strip().lower() or ("public" if given.get("SPACE_ID") else "classroom")
    if preset not in PRESETS:
        raise InputError("setting_type", name=PRESET, expected=" or ".join(PRESETS), got=preset[:40])
    named = {variable(item.name): item.name for item in fields(Limits)}
    own = {name: given[key].strip() for key, name in named.items() if given.get(key, "").strip()}
    try:
        return Limits.from_mapping({**PRESETS[preset], **own})
    except InputError as error:
        name = error.values.get("name")
        raise InputError(error.key, **{**error.values, "name": variable(str(name))}) from None


def variable(name: str) -> str:
    """The environment variable of a limit."""
    return PREFIX + name.upper()
