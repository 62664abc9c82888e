"""The one form of a text: what a model learns from, is asked, and is measured on is written alike.

Line ends are line feeds: CR LF and a lone CR become one. Control characters (Unicode's category Cc, tabs and
line feeds excepted, so NEL too) and byte-order marks are taken out, and the rest is in the Unicode form NFC.
The line and paragraph separators U+2028 and U+2029 are characters like others: who writes them means them.

Every text goes through this, for every model. Ours and the library's were trained on texts that did. The
pretrained ones were trained on texts of the web, which has line feeds and nearly always NFC (Qwen's tokenizer
makes NFC itself), and bits a byte compare only where all models are given the same bytes.
"""

import re
import unicodedata

# Unicode's category Cc but for tab and newline, and the byte-order mark wherever files were joined.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]")


def clean_text(text: str) -> str:
    """A text in the one form; one that is in it already stays as it is.

    `data.text.clean` does the same to a source and says what it changed.
    """
    # Control characters go first: one between a letter and its accent would keep them apart.
    return unicodedata.normalize("NFC", without_controls(with_line_feeds(text)))


def with_line_feeds(text: str) -> str:
    """Each line end as one line feed."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def without_controls(text: str) -> str:
    """Without control characters and byte-order marks."""
    return CONTROL.sub("", text)
