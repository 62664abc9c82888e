"""A small family of errors, each one sentence that names the cure.

An error carries a key and values, not a finished sentence: the command line prints the English
of the key's row in `core/sentences`, the page the language of its reader.
"""

from typing import Any

from aigc_demo.core.sentences import ENGLISH

MOST_OF_A_PATH = 200


def shortened(path: str) -> str:
    """Beginning and end of a path that nobody would read to its end."""
    half = MOST_OF_A_PATH // 2 - 2
    return f"{path[:half]} ... {path[-half:]}"


class DemoError(Exception):
    """A failure that a teacher can understand: one sentence, with the cure.

    Args:
        key: which row of `core.sentences.SENTENCES`.
        values: what fills its markers; plain numbers and text.

    Raises:
        KeyError: the key or one of its markers is unknown (a mistake in this project, not in its use).
    """

    exit_code = 1

    def __init__(self, key: str, **values: Any):
        if len(str(values.get("path", ""))) > MOST_OF_A_PATH:
            values["path"] = shortened(str(values["path"]))
        self.key = key
        self.values = values
        super().__init__(ENGLISH[key].format(**values))

    def __reduce__(self) -> tuple[Any, ...]:
        """Key and values travel between processes, as the sentence alone could not be made again."""
        return _again, (type(self), self.key, self.values)


class InputError(DemoError):
    """What was asked for cannot be done as it was asked; nothing was changed."""

    exit_code = 2


def _again(kind: type[DemoError], key: str, values: dict[str, Any]) -> DemoError:
    return kind(key, **values)
