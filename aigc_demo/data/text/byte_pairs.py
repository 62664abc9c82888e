"""Byte-level BPE: trained here or, where the text is long, in a process of its own that can be ended.

The trainer works through a piece of text once for each pair that it merges there, so a piece must not be
long: GPT-2's pattern takes any run of letters for one, and a genome, or a page of Chinese without
punctuation, is one run. Llama 3's tokenizer bounds its runs for the same reason. Here runs of letters, of
digits, of other signs and of white space are cut after 256 characters, before the pattern sees them. What
has no such run, as all words of ordinary texts, is cut as before.

The library works in Rust and looks at no signal until it is done: minutes, for a long text. Started as a
script this file trains on what comes in; a request is the vocabulary's size and the special tokens as
arguments, and on standard input parts of the text, each with its length in bytes before it (8, most
significant first), then a length of 0. The answer is the tokenizer as JSON. When the other end of the pipe
goes away, so does the process.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence

import tokenizers
from tokenizers import Regex, decoders, models, pre_tokenizers, trainers

LONGEST_RUN = 256
LONG_RUNS = "|".join(
    f"{kind}{{{LONGEST_RUN}}}" for kind in (r" ?\p{L}", r" ?\p{N}", r" ?[^\s\p{L}\p{N}]", r"\s")
)


def byte_level(inner: tokenizers.Tokenizer, special: Sequence[str], *, bounded: bool) -> tokenizers.Tokenizer:
    """The same, cutting and joining texts as bytes, as GPT-2 does.

    Args:
        inner: a BPE.
        special: tokens that are never made from text.
        bounded: cut long runs; those that were trained before that was so are not.
    """
    pattern = pre_tokenizers.ByteLevel(add_prefix_space=False)
    runs = pre_tokenizers.Split(Regex(LONG_RUNS), "isolated")
    inner.pre_tokenizer = pre_tokenizers.Sequence([runs, pattern]) if bounded else pattern
    inner.decoder = decoders.ByteLevel()
    if inner.get_vocab_size():
        inner.add_special_tokens(list(special))
    return inner


def train(parts: Iterable[str], vocab_size: int, special: Sequence[str]) -> tokenizers.Tokenizer:
    """The pair of neighbours that occurs most becomes a token, again and again.

    Args:
        parts: of a text.
        vocab_size: the largest, special tokens included.
        special: the first tokens.

    Source:
        Sennrich et al. 2016, arXiv:1508.07909; on bytes: Radford et al. 2019 (GPT-2).
    """
    inner = byte_level(tokenizers.Tokenizer(models.BPE()), special, bounded=True)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(parts, trainer)
    return inner


def train_in_subprocess(
    parts: Iterable[str], vocab_size: int, special: Sequence[str]
) -> tokenizers.Tokenizer:
    """As `train`, in a process of its own; any exception here, such as that of a signal, ends it.

    Raises:
        MemoryError: the process was killed, as the system does where memory runs out.
    """
    # -P: no module of ours beside the script may stand in for one of the library's.
    command = [sys.executable, "-P", __file__, str(vocab_size), *special]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdin and process.stdout
    try:
        with contextlib.suppress(BrokenPipeError):
            for part in parts:
                content = part.encode("utf-8", "replace")
                if content:
                    process.stdin.write(len(content).to_bytes(8, "big") + content)
            process.stdin.write(bytes(8))
            process.stdin.flush()
        described = process.stdout.read()  # standard input stays open: its end would mean that nobody waits
        if process.wait() or not described:
            raise MemoryError("the process that trained the tokenizer was killed")
        return tokenizers.Tokenizer.from_str(described.decode("utf-8"))
    finally:
        process.kill()
        process.wait()
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.stdout.close()


def _parts() -> Iterator[str]:
    while size := int.from_bytes(sys.stdin.buffer.read(8), "big"):
        yield sys.stdin.buffer.read(size).decode("utf-8")


def _end_with_the_other() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _serve(vocab_size: int, special: Sequence[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the other end decides
    parts = list(_parts())
    threading.Thread(target=_end_with_the_other, daemon=True).start()
    sys.stdout.buffer.write(train(parts, vocab_size, special).to_str().encode("utf-8"))
    sys.stdout.buffer.flush()
    os._exit(0)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2:])
