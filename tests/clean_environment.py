"""The environment in which all tests run, whatever that of the terminal is.

Libraries read theirs when they are imported, and child processes inherit it: so all that could change a
result is taken out before the first import of a test, and what has to be somewhere is in a folder that goes
with the tests. A test that needs a variable sets it itself.
"""

import atexit
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

PREFIXES = (
    "AIGC_DEMO",
    *("HF", "HUGGINGFACE", "HUGGING_FACE", "TRANSFORMERS", "PYTORCH_TRANSFORMERS", "DIFFUSERS", "DATASETS"),
    *("TOKENIZERS", "ACCELERATE", "FSDP", "TORCHINDUCTOR", "TORCH", "PYTORCH"),
    *("GRADIO", "SPACES?", "UVICORN", "STARLETTE"),
    *("WANDB", "TRACKIO", "TENSORBOARD", "TQDM"),
    *("OMP", "GOMP", "MKL", "OPENBLAS"),
    *("LC", "TYPER", "_TYPER"),
)
NAMES = (
    *("LANG", "LANGUAGE", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONCOERCECLOCALE", "PYTHONUNBUFFERED"),
    *("SYSTEM", "FORWARDED_ALLOW_IPS", "WEB_CONCURRENCY", "XDG_CACHE_HOME"),
    *("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("COLUMNS", "LINES", "TERMINAL_WIDTH", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"),
)
CHANGES_RESULTS = re.compile(rf"({'|'.join(PREFIXES)})_.*|{'|'.join(NAMES)}|.*_PROXY", re.IGNORECASE)
# Where the processes of one test run keep what they have to keep.
FOLDER = "TESTS_OF_AIGC_DEMO"


def cleaned(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What of an environment may stay, with places of their own for caches.

    Args:
        environment: of the terminal.
        folder: what the tests may fill.
    """
    kept = {name: value for name, value in environment.items() if not CHANGES_RESULTS.fullmatch(name)}
    home = kept.get("HOME", "")
    if not (os.path.isdir(home) and os.access(home, os.W_OK | os.X_OK)):
        kept["HOME"] = str(folder)
    return {
        **kept,
        FOLDER: str(folder),
        "HF_HOME": str(folder / "hub"),  # what lies in somebody's cache changes results too
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "GRADIO_ANALYTICS_ENABLED": "False",
    }


def clean_environment() -> None:
    """Clean this process's own; the processes that pytest-xdist starts find it cleaned."""
    if FOLDER not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="aigc-demo-tests-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        kept = cleaned(os.environ, folder)
        os.environ.clear()
        os.environ.update(kept)
    if "PYTEST_XDIST_WORKER" in os.environ:
        # Several processes, each with one thread: threads that wait for each other are slower.
        os.environ["OMP_NUM_THREADS"] = "1"
