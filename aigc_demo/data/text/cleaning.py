"""Text normalization: the same for training texts, prompts and evaluation texts.

Line ends are line feeds: CR LF and a lone CR become one. Control characters (Unicode category Cc except tab
and line feed, so NEL too) and byte-order marks are removed, and the rest is normalized to NFC. The line and
paragraph separators U+2028 and U+2029 are kept.

It applies to every text and every model. Models trained here were trained on normalized texts. Pretrained
models were trained on web texts, which have line feeds and nearly always NFC (Qwen's tokenizer applies NFC
itself), and bits per byte are comparable only if all models get the same bytes.
"""

import re
import unicodedata

# Unicode category Cc except tab and newline, and byte-order marks, which joined files have inside.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]")


def clean_text(text: str) -> str:
    """A text in normalized form; idempotent.

    `data.text.corpus.clean` does the same and reports the changes.
    """
    # Control characters first: one between a letter and its accent would prevent the composition.
    return unicodedata.normalize("NFC", remove_controls(normalize_newlines(text)))


def lowercase(text: str) -> str:
    """A text in lower case, of the same length: a letter whose lower case is two characters stays."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)


def normalize_newlines(text: str) -> str:
    """Replace CR LF and CR by line feeds."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def remove_controls(text: str) -> str:
    """Remove control characters and byte-order marks."""
    return CONTROL.sub("", text)
