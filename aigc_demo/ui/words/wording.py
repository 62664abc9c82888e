"""All wording of the page: a file of words for each tab, and the functions that fill them.

A row of `WORDS` is one text in each of `LANGUAGES`. Markers (`{name}`) are the same in every language.
The sentences of errors stand in `core/sentences`.
"""

import re
from collections.abc import Mapping
from typing import Any

from aigc_demo.core.files.public_paths import public_values
from aigc_demo.core.languages import LANGUAGES, Row
from aigc_demo.core.sentences import SENTENCES
from aigc_demo.core.sentences.expected import EXPECTED
from aigc_demo.ui.words.columns import COLUMN_WORDS
from aigc_demo.ui.words.forks import FORK_WORDS
from aigc_demo.ui.words.frame import FRAME_WORDS
from aigc_demo.ui.words.gan import GAN_WORDS
from aigc_demo.ui.words.latent_space import LATENT_SPACE_WORDS
from aigc_demo.ui.words.predictions import PREDICTION_WORDS
from aigc_demo.ui.words.recipes import RECIPE_WORDS
from aigc_demo.ui.words.step_by_step import STEP_BY_STEP_WORDS
from aigc_demo.ui.words.text import TEXT_WORDS
from aigc_demo.ui.words.text_to_image import TEXT_TO_IMAGE_WORDS
from aigc_demo.ui.words.tiny_world import TINY_WORLD_WORDS
from aigc_demo.ui.words.train import TRAIN_WORDS

WORDS: dict[str, Row] = {
    **FRAME_WORDS,
    **COLUMN_WORDS,
    **TEXT_WORDS,
    **FORK_WORDS,
    **PREDICTION_WORDS,
    **GAN_WORDS,
    **LATENT_SPACE_WORDS,
    **STEP_BY_STEP_WORDS,
    **TEXT_TO_IMAGE_WORDS,
    **TINY_WORLD_WORDS,
    **TRAIN_WORDS,
    **RECIPE_WORDS,
}


def text(key: str, language: str, **values: Any) -> str:
    """A text of the page in one language, its markers filled."""
    return WORDS[key][LANGUAGES.index(language)].format(**values)


def everywhere(key: str, **values: Any) -> dict[str, str]:
    """A text of the page in all languages; the browser shows the one that is switched on."""
    return {language: text(key, language, **values) for language in LANGUAGES}


def same_everywhere(words: str) -> dict[str, str]:
    """What is the same in every language, such as a number."""
    return dict.fromkeys(LANGUAGES, words)


def sentence(key: str, values: Mapping[str, Any], language: str) -> str:
    """The sentence of an error, in the language of its reader and without paths of this machine."""
    column, shown = LANGUAGES.index(language), public_values(values)
    if "expected" in shown:
        shown["expected"] = _expected(shown["expected"], column)
    return SENTENCES[key][column].format(**shown)


def sentence_everywhere(key: str, values: Mapping[str, Any]) -> dict[str, str]:
    """The sentence of an error in all languages."""
    return {language: sentence(key, values, language) for language in LANGUAGES}


def _expected(phrase: Any, column: int) -> Any:
    """A phrase of the marker {expected} in the language of this column, where it has a row.

    Several kinds of models stand in one phrase with "or" between them.
    """
    parts = str(phrase).split(" or ")
    if column and len(parts) > 1 and all(_expected(part, column) != part for part in parts):
        return "或".join(_expected(part, column) for part in parts)
    for english, *chinese in EXPECTED:
        if column and (found := re.fullmatch(english, str(phrase), re.DOTALL)):
            return chinese[column - 1].format(*found.groups())
    return phrase
