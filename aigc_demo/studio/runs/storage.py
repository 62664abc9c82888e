"""Whether runs survive a restart of the server."""

import os
from pathlib import Path

SPACE, RUNS = "SPACE_ID", "AIGC_DEMO_RUNS"


def lost_at_restart(folder: Path) -> bool:
    """Whether a restart deletes the runs in a folder: on a Space, unless they are on mounted storage.

    Args:
        folder: of the runs; it need not be there yet.
    """
    if not os.environ.get(SPACE):
        return False
    return not (os.environ.get(RUNS) and on_a_mount(folder))


def on_a_mount(folder: Path) -> bool:
    """Whether a folder lies on a disk that was mounted, not on that of the system's root."""
    place = folder.resolve()
    return any(os.path.ismount(one) for one in (place, *place.parents) if one != Path(one.anchor))
