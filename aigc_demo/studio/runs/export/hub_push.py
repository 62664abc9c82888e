"""A run's model to the Hugging Face Hub, by the Hub's own client.

The token is the one in the environment. Whoever can press the button pushes with it, so a Space, which
anybody can open, pushes nothing unless its owner says that it may. No message holds the token: what the
client says of a failure is not passed on.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aigc_demo import __version__
from aigc_demo.core.config import shown
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.files.atomic import disk_errors
from aigc_demo.core.hub_address import check_way_to_hub, hub_problem
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.generators import hub  # at the top: it sets what the Hub's client reads when it is imported
from aigc_demo.studio.runs.export.hub_folder import save_model_folder

TOKEN, SPACE, ALLOWED = "HF_TOKEN", "SPACE_ID", "AIGC_DEMO_PUSH"
# By itself the client waits for an answer for ever.
TIMEOUT_SECONDS = 60.0


def can_push() -> bool:
    """Whether a page may offer to push: there is a token, and not everybody could push with it."""
    return bool(_token()) and not _closed()


def push_model(run: RunDirectory, repo_id: str, *, private: bool = True, step: int | None = None) -> str:
    """Push the model of a checkpoint, as `save_model_folder` makes it, to a repository on the Hub.

    Args:
        run: what trained it.
        repo_id: owner/name; made where there is none.
        private: whether a new repository is. One that is there keeps what it is, and if everybody can see it,
            is not pushed to as private.
        step: of the checkpoint; None for the last.

    Returns:
        The address of the repository.

    Raises:
        InputError: this may not be pushed from here, by this token, to a repository of that name; or the run
            has no such model.
        DemoError: the Hub cannot be reached, or the upload broke off.
    """
    token = _checked_token()
    name = _checked_name(repo_id)
    with (
        disk_errors(Path(tempfile.gettempdir())),
        tempfile.TemporaryDirectory(prefix="aigc-demo-") as scratch,
    ):
        folder = save_model_folder(run, Path(scratch) / name, step)
        return _upload(folder, repo_id, token, private=private)


def silence_client() -> None:
    """For a terminal, where a failure is one line of ours: no bars, and no lines, of the Hub's client."""
    from huggingface_hub.utils import disable_progress_bars, logging

    logging.set_verbosity_error()
    disable_progress_bars()


def _upload(folder: Path, repo_id: str, token: str, *, private: bool) -> str:
    from huggingface_hub import HfApi, get_session
    from huggingface_hub.errors import RepositoryNotFoundError

    api = HfApi(token=token, library_name="aigc-demo", library_version=__version__)
    check_way_to_hub()
    get_session().timeout = TIMEOUT_SECONDS
    public = False
    with _in_words(repo_id, "push_not_reachable"):
        # One quick question shows whether the Hub can be reached, and whether it knows the token.
        try:
            public = api.model_info(repo_id, timeout=hub.TIMEOUT_SECONDS).private is False
        except RepositoryNotFoundError as error:
            if error.response.status_code != 404:
                raise
    if public and private:
        raise InputError("push_public", name=repo_id)
    with _in_words(repo_id, "push_broke_off"):
        url = api.create_repo(repo_id, private=private, exist_ok=True)
        api.upload_folder(repo_id=repo_id, folder_path=folder, commit_message="Upload model from AIGC Demo")
    return str(url)


@contextlib.contextmanager
def _in_words(repo_id: str, otherwise: str) -> Iterator[None]:
    """One sentence for what the client or the Hub has against it."""
    try:
        yield
    except Exception as error:
        # from None: what the client raises may quote the request, and with it the token.
        raise _refusal(error, repo_id, otherwise) from None


def _refusal(error: Exception, repo_id: str, otherwise: str) -> DemoError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if problem := hub_problem(error):
        return problem
    if status == 401:
        return InputError("token_refused")
    if status == 403:
        return InputError("push_forbidden", name=repo_id)
    values: dict[str, Any] = {"name": repo_id, "detail": f"HTTP {status}" if status else type(error).__name__}
    return DemoError(otherwise, **values)


def _token() -> str:
    return os.environ.get(TOKEN, "").strip()


def _closed() -> bool:
    return bool(os.environ.get(SPACE)) and os.environ.get(ALLOWED) != "1"


def _checked_token() -> str:
    token = _token()
    if _closed():
        raise InputError("push_closed")
    if not token:
        raise InputError("no_token")
    if not re.fullmatch(r"[!-~]+", token):  # the client could not put it into a header, and would say it
        raise InputError("token_refused")
    return token


def _checked_name(repo_id: Any) -> str:
    """The part after the owner."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repo_id)
        _, name = repo_id.split("/")
    except (HFValidationError, ValueError, AttributeError):
        raise InputError("repository_name", name=shown(repo_id)) from None
    return name
