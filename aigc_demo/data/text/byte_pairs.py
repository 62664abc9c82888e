"""Byte-level BPE, trained in this process or, for a long text, in a subprocess that can be stopped.

The trainer scans a pre-token once for each merge in it, so pre-tokens must be short. GPT-2's pattern makes
any run of letters one pre-token, and a genome, or a page of Chinese without punctuation, is one run. Llama 3
limits the length for the same reason. Here runs of letters, digits, other characters and white space are cut
after 256 characters, before the pattern is applied; texts without such runs are not affected.

The library is written in Rust and does not handle signals until it has finished, which takes minutes for a
long text. Run as a script, this file is the subprocess. Arguments: vocabulary size and special tokens.
Standard input: chunks of the text, each preceded by its length in bytes (8 bytes, big-endian), and a length
of 0. Standard output: the tokenizer as JSON. The process exits when the other end of the pipe is closed.
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
    """Set GPT-2's byte-level pre-tokenizer and decoder.

    Args:
        inner: a BPE tokenizer, modified in place.
        special: special tokens.
        bounded: cut long runs; False for tokenizers of earlier versions.
    """
    pattern = pre_tokenizers.ByteLevel(add_prefix_space=False)
    runs = pre_tokenizers.Split(Regex(LONG_RUNS), "isolated")
    inner.pre_tokenizer = pre_tokenizers.Sequence([runs, pattern]) if bounded else pattern
    inner.decoder = decoders.ByteLevel()
    if inner.get_vocab_size():
        inner.add_special_tokens(list(special))
    return inner


def train(parts: Iterable[str], vocab_size: int, special: Sequence[str]) -> tokenizers.Tokenizer:
    """Train BPE: repeatedly merge the most frequent pair of adjacent tokens into a new token.

    Args:
        parts: chunks of the text.
        vocab_size: maximum size, special tokens included.
        special: special tokens, which get the first ids.

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
    """As `train`, in a subprocess, which is killed by any exception here, such as KeyboardInterrupt.

    Raises:
        MemoryError: the subprocess was killed, as the system does when memory runs out.
    """
    # -P: no module beside the script may shadow one of a library.
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
        response = process.stdout.read()  # standard input stays open: closing it makes the subprocess exit
        if process.wait() or not response:
            raise MemoryError("the process that trained the tokenizer was killed")
        return tokenizers.Tokenizer.from_str(response.decode("utf-8"))
    finally:
        process.kill()
        process.wait()
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.stdout.close()


def _parts() -> Iterator[str]:
    while size := int.from_bytes(sys.stdin.buffer.read(8), "big"):
        yield sys.stdin.buffer.read(size).decode("utf-8")


def _exit_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _serve(vocab_size: int, special: Sequence[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the process group; the parent decides
    parts = list(_parts())
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    sys.stdout.buffer.write(train(parts, vocab_size, special).to_str().encode("utf-8"))
    sys.stdout.buffer.flush()
    os._exit(0)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2:])
