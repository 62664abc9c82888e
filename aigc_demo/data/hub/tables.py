"""The training split of a dataset on the Hugging Face Hub, through the datasets library."""

import contextlib
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aigc_demo.core.config import shown
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.hub_address import check_way_to_hub, hub_problem
from aigc_demo.data.text.encodings import WITH_MARK, decode_text

PREFIX = "hf:"
ENCODING_NOTE = "Its files are in "
REACH_TIMEOUT_SECONDS = 5
SPLIT = "train"
NAME = r"[A-Za-z0-9][\w.-]*"
SOURCE = re.compile(
    rf"hf:(?P<repository>{NAME}/{NAME})(?:@(?P<revision>[0-9a-f]{{40}}))?(?::(?P<configuration>[\w.-]+))?"
)
# Pinned commits of datasets that our documents describe.
REVISIONS = {"Salesforce/wikitext": "b08601e04326c79dfdd32d625aee71d232d685c3"}
T = TypeVar("T")


@dataclass(frozen=True)
class HubSource:
    """A dataset on the Hub.

    Args:
        repository: owner/name.
        revision: a commit, 40 hexadecimal digits; None for the newest.
        configuration: of the dataset; None for the only one.
    """

    repository: str
    revision: str | None
    configuration: str | None

    @classmethod
    def parse(cls, source: str) -> "HubSource":
        """Parse hf:owner/name[@commit][:config].

        Raises:
            InputError: the format is invalid.
        """
        found = SOURCE.fullmatch(source)
        if not found:
            raise InputError("hub_form", name=shown(source))
        repository = found["repository"]
        return cls(repository, found["revision"] or REVISIONS.get(repository), found["configuration"])


def read_split(source: HubSource, read: Callable[[Any], T], max_download_bytes: int) -> T:
    """Download a dataset and read its training split.

    Args:
        source: the dataset.
        read: called with the split, a `datasets.Dataset`.
        max_download_bytes: limit for all splits together, since the library downloads all of them.

    Returns:
        The result of `read`.

    Raises:
        InputError: the dataset does not exist or is too large, the Hub cannot be reached, or `read` raised
            it.
    """
    import datasets

    try:
        with _quiet(), _one_address(), _offline_where_needed():
            return read(_train_split(datasets, source, max_download_bytes))
    except DemoError:
        raise
    except Exception as error:  # the network and untrusted files make the library raise many classes
        problem = hub_problem(error)  # as does a wrong address
        raise problem or _explained(error, PREFIX + source.repository) from error


def _explained(error: Exception, name: str) -> InputError:
    """The error message for an exception of the libraries."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    from huggingface_hub.utils import httpx  # the version that the library uses

    if isinstance(error, HfHubHTTPError) and not isinstance(error, LocalEntryNotFoundError):
        server_failed = error.response.status_code >= 500
        return InputError("hub_unreachable" if server_failed else "hub_unknown", name=name)
    if isinstance(error, (ConnectionError, httpx.HTTPError, LocalEntryNotFoundError)):
        return InputError("hub_unreachable", name=name)
    if isinstance(error, FileNotFoundError):
        return InputError("hub_unknown", name=name)
    return InputError("hub_unreadable", name=name, detail=type(error).__name__)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the progress bars and warnings of the libraries; the command line has its own output."""
    import datasets
    from datasets.utils import logging as datasets_logging
    from huggingface_hub.utils import logging as hub_logging

    levels = datasets_logging.get_verbosity(), hub_logging.get_verbosity()
    datasets.disable_progress_bars()
    datasets_logging.set_verbosity(logging.CRITICAL)
    hub_logging.set_verbosity(logging.CRITICAL)
    try:
        yield
    finally:
        datasets_logging.set_verbosity(levels[0])
        hub_logging.set_verbosity(levels[1])


@contextlib.contextmanager
def _one_address() -> Iterator[None]:
    """Send requests only to the Hub or its mirror, at the Hub client's normalized address.

    By default the datasets library reports each download to another server, requests a Parquet export from a
    third one, whose name it derives from the mirror's, and does not remove a trailing slash of the address.
    """
    import datasets
    from huggingface_hub import constants

    ours = {
        "HF_ENDPOINT": constants.ENDPOINT,
        "HF_UPDATE_DOWNLOAD_COUNTS": False,
        "USE_PARQUET_EXPORT": False,
    }
    before = {name: getattr(datasets.config, name) for name in ours}
    vars(datasets.config).update(ours)
    try:
        yield
    finally:
        vars(datasets.config).update(before)


@contextlib.contextmanager
def _offline_where_needed() -> Iterator[None]:
    """Use the cache if one request to the Hub fails: the library retries five times, for 23 seconds."""
    import datasets
    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import httpx

    before = datasets.config.HF_HUB_OFFLINE
    try:
        if not before:
            check_way_to_hub()
            get_session().head(constants.ENDPOINT, timeout=REACH_TIMEOUT_SECONDS)
    except (httpx.HTTPError, OSError, InputError):
        datasets.config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = before


def _train_split(datasets: Any, source: HubSource, max_bytes: int) -> Any:
    name = PREFIX + source.repository
    try:
        builder = datasets.load_dataset_builder(
            source.repository, source.configuration, revision=source.revision
        )
    except ValueError as error:
        known = re.search(r"\[([^\]]*)\]|in the cache: ([^\n]*)", str(error))
        if not known:
            raise
        raise InputError("hub_configuration", name=name, known=shown(known[1] or known[2])) from error
    if source.revision and builder.hash != source.revision:  # the cache may hold another commit
        raise InputError("hub_unreachable", name=f"{name}@{source.revision}")
    size = builder.info.download_size or _size_of_files(builder)
    if size > max_bytes:
        raise too_large(name, size, max_bytes)
    try:
        builder.download_and_prepare()
    except Exception as error:  # the library wraps the exceptions of its reader
        if not _is_of_decoding(error) or not hasattr(builder.config, "encoding"):
            raise
        builder.config.encoding, builder.info.description = _encoding_of(datasets, builder, name)
        builder.download_and_prepare()
    if SPLIT not in builder.info.splits:
        raise InputError("hub_no_train", name=name, known=shown(", ".join(builder.info.splits)))
    return builder.as_dataset(split=SPLIT)


def _is_of_decoding(error: BaseException | None) -> bool:
    """Whether an error was caused by a file that is not UTF-8."""
    while error is not None:
        if isinstance(error, UnicodeDecodeError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _encoding_of(datasets: Any, builder: Any, name: str) -> tuple[str, str]:
    """The codec of the training files, and a description that the library stores in its cache.

    Raises:
        InputError: the encoding is uncertain.
    """
    files = datasets.DownloadManager().download([str(file) for file in builder.config.data_files[SPLIT]])
    encoding = decode_text(Path(files[0]).read_bytes(), name).encoding
    codec = "big5hkscs" if encoding == "Big5" else encoding.removesuffix(WITH_MARK)
    if WITH_MARK in encoding and codec != "UTF-8":
        codec = codec.split()[0]  # UTF-16 and UTF-32: each file's mark gives its byte order
    return codec, ENCODING_NOTE + encoding


def encoding_of(table: Any) -> str:
    """The encoding in which the files of a dataset were decoded."""
    description = str(table.info.description or "")
    return description.removeprefix(ENCODING_NOTE) if description.startswith(ENCODING_NOTE) else "UTF-8"


def _size_of_files(builder: Any) -> int:
    """Download size in bytes, for a dataset whose card does not give it."""
    from datasets.utils.file_utils import xgetsize

    files = builder.config.data_files or {}
    return sum(xgetsize(str(file)) for split in files.values() for file in split)


def too_large(name: str, size: int, limit: int) -> InputError:
    """The error for a dataset above the size limit."""
    return InputError("too_large", name=name, got=f"{size / 2**20:.1f}", limit=limit // 2**20)
