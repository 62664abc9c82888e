"""The sentence of every error, in each language: one row for each key, in a file for each subject.

A sentence is changed in its row alone. Markers (`{name}`) are the same in every language; whoever raises
the error gives their values. Add a sentence: a row in the file of its subject, and
`raise InputError("its_key", ...)`.
"""

from aigc_demo.core.languages import Row
from aigc_demo.core.sentences.hub import HUB_SENTENCES
from aigc_demo.core.sentences.images import IMAGE_SENTENCES
from aigc_demo.core.sentences.models import MODEL_SENTENCES
from aigc_demo.core.sentences.page import PAGE_SENTENCES
from aigc_demo.core.sentences.run_queue import RUN_QUEUE_SENTENCES
from aigc_demo.core.sentences.text import TEXT_SENTENCES
from aigc_demo.core.sentences.training import TRAINING_SENTENCES

SENTENCES: dict[str, Row] = {
    **TEXT_SENTENCES,
    **IMAGE_SENTENCES,
    **MODEL_SENTENCES,
    **HUB_SENTENCES,
    **TRAINING_SENTENCES,
    **RUN_QUEUE_SENTENCES,
    **PAGE_SENTENCES,
}
ENGLISH: dict[str, str] = {key: english for key, (english, _, _) in SENTENCES.items()}
