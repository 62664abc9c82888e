"""The training split of a data set on the Hugging Face Hub, through the datasets library."""

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
# Where we know at which commit a data set was as we describe it.
REVISIONS = {"Salesforce/wikitext": "b08601e04326c79dfdd32d625aee71d232d685c3"}
T = TypeVar("T")


@dataclass(frozen=True)
class HubSource:
    """Where on the Hub a data set is.

    Args:
        repository: owner/name.
        revision: a commit, 40 hexadecimal digits; None for the newest.
        configuration: which part of the data set; None where it has one only.
    """

    repository: str
    revision: str | None
    configuration: str | None

    @classmethod
    def parse(cls, source: str) -> "HubSource":
        """Read hf:owner/name[@commit][:config].

        Raises:
            InputError: it is not of this form.
        """
        found = SOURCE.fullmatch(source)
        if not found:
            raise InputError("hub_form", name=shown(source))
        repository = found["repository"]
        return cls(repository, found["revision"] or REVISIONS.get(repository), found["configuration"])


def read_split(source: HubSource, read: Callable[[Any], T], max_download_bytes: int) -> T:
    """Fetch a data set and read its training split.

    Args:
        source: where it is.
        read: what to do with the split, a `datasets.Dataset`.
        max_download_bytes: the most that is fetched; the library fetches every split, and we read one.

    Returns:
        What `read` returned.

    Raises:
        InputError: it is not on the Hub, or the Hub is out of reach, or it is too large, or `read` raised it.
    """
    import datasets

    try:
        with _quiet(), _one_address(), _offline_where_needed():
            return read(_train_split(datasets, source, max_download_bytes))
    except DemoError:
        raise
    except Exception as error:  # whatever the network and the files of strangers make the library raise
        problem = hub_problem(error)  # a false address makes the libraries fail in many ways
        raise problem or _explained(error, PREFIX + source.repository) from error


def _explained(error: Exception, name: str) -> InputError:
    """The sentence for what the libraries raised."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    from huggingface_hub.utils import httpx  # whichever of its versions the library uses

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
    """No progress bars and no warnings of the libraries: the command line prints events and one sentence."""
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
    """Ask the Hub or its mirror and nobody else, at the address as the Hub's client reads it.

    By itself the library counts a download at a server of its own, asks a second one, whose name is the
    mirror's with a word before it, for an export of the data, and keeps a slash that the address ends with.
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
    """Ask the Hub once: the library asks five times, for 23 seconds, before it looks into its cache."""
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
    if source.revision and builder.hash != source.revision:  # the cache offers what it has, of any commit
        raise InputError("hub_unreachable", name=f"{name}@{source.revision}")
    size = builder.info.download_size or _size_of_files(builder)
    if size > max_bytes:
        raise too_large(name, size, max_bytes)
    try:
        builder.download_and_prepare()
    except Exception as error:  # the library wraps whatever its reader raises
        if not _is_of_decoding(error) or not hasattr(builder.config, "encoding"):
            raise
        builder.config.encoding, builder.info.description = _encoding_of(datasets, builder, name)
        builder.download_and_prepare()
    if SPLIT not in builder.info.splits:
        raise InputError("hub_no_train", name=name, known=shown(", ".join(builder.info.splits)))
    return builder.as_dataset(split=SPLIT)


def _is_of_decoding(error: BaseException | None) -> bool:
    """Whether a file that is not in UTF-8 is behind an error."""
    while error is not None:
        if isinstance(error, UnicodeDecodeError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _encoding_of(datasets: Any, builder: Any, name: str) -> tuple[str, str]:
    """The codec of the training files, and what is to be said of it; the library keeps that beside its cache.

    Raises:
        InputError: it is not certain.
    """
    files = datasets.DownloadManager().download([str(file) for file in builder.config.data_files[SPLIT]])
    encoding = decode_text(Path(files[0]).read_bytes(), name).encoding
    codec = "big5hkscs" if encoding == "Big5" else encoding.removesuffix(WITH_MARK)
    if WITH_MARK in encoding and codec != "UTF-8":
        codec = codec.split()[0]  # UTF-16 and UTF-32: each file's mark says which byte order it has
    return codec, ENCODING_NOTE + encoding


def encoding_of(table: Any) -> str:
    """What the files of a data set were taken for."""
    said = str(table.info.description or "")
    return said.removeprefix(ENCODING_NOTE) if said.startswith(ENCODING_NOTE) else "UTF-8"


def _size_of_files(builder: Any) -> int:
    """What is to be fetched, in bytes, where the data set's card does not say."""
    from datasets.utils.file_utils import xgetsize

    files = builder.config.data_files or {}
    return sum(xgetsize(str(file)) for split in files.values() for file in split)


def too_large(name: str, size: int, limit: int) -> InputError:
    """The sentence for a data set of more bytes than are taken."""
    return InputError("too_large", name=name, got=f"{size / 2**20:.1f}", limit=limit // 2**20)
