"""The environment as gradio needs it, settled before it is imported: it reads much of it there and then."""

import os
import tempfile
from pathlib import Path

from aigc_demo.core.files.atomic import disk_errors
from aigc_demo.core.files.private_temp import user_temp_folder
from aigc_demo.core.proxies import configure_proxies

TEMPORARY = "GRADIO_TEMP_DIR"


def configure_environment() -> None:
    """Keep gradio from calling home, from proxies, and from folders of other users; may be called again.

    What the user has set stays, or goes on to child processes where gradio cannot use it.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    configure_proxies([os.environ.get("GRADIO_SERVER_NAME", "").strip().strip("[]") or "localhost"])
    if not os.environ.get(TEMPORARY):
        os.environ[TEMPORARY] = str(user_temp_folder())


def check_temporary_folder() -> None:
    """Whether the page can keep uploads; gradio would say it with a stack trace.

    Raises:
        DemoError: it cannot.
    """
    folder = Path(os.environ[TEMPORARY])
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
