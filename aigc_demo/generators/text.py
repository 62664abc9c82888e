"""One protocol for everything that writes text, our own network behind it, and how to load any of them."""

# Shapes: B texts side by side, T tokens, V vocabulary, L layers, H heads.

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import load_file
from torch import Tensor

from aigc_demo.core.errors import InputError
from aigc_demo.core.weights_file import check_weights, read_json, weights_path
from aigc_demo.data.tokenizer import Tokenizer
from aigc_demo.generators import hub
from aigc_demo.generators.catalog import CatalogEntry, Family, find
from aigc_demo.generators.sessions import Session
from aigc_demo.nets.attention import KeyValueCache
from aigc_demo.nets.one_token import OneTokenDecoder
from aigc_demo.nets.transformer import Decoder, TransformerConfig

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "int8": torch.float32,  # the matrices are quantized from there
}


class Vocabulary(Protocol):
    """Text to numbers and back: data/tokenizer.Tokenizer, or that of a pretrained model."""

    def encode(self, text: str) -> list[int]:
        """The text's tokens, no special ones added."""

    def decode(self, ids: list[int]) -> str:
        """The text of the tokens, special ones left out."""

    def token_text(self, index: int) -> str:
        """One token as text to show."""

    def spans(self, text: str) -> list[tuple[int, int, int]]:
        """The text's tokens with their places: (id, first character, past the last character)."""


class TextModel(Vocabulary, Protocol):
    """A language model, ready to be read with.

    Attributes:
        name: from the catalog, or a path.
        family: ours, library or pretrained.
        vocab_size: V, the number of scores it gives.
        context_length: the most tokens it looks at.
        num_parameters: counted once where two places share them.
        memory_mib: what its weights take.
        start_ids: what an empty text starts from.
        banned_ids: never written, such as the unknown token.
        end_ids: with one of these the model ends its text.
        unknown_id: stands for what the vocabulary lacks; None where it lacks nothing.
    """

    name: str
    family: Family
    vocab_size: int
    context_length: int
    num_parameters: int
    memory_mib: float
    start_ids: tuple[int, ...]
    banned_ids: tuple[int, ...]
    end_ids: tuple[int, ...]
    unknown_id: int | None

    def prompt_ids(self, prompt: str) -> list[int]:
        """What the model reads before it writes: start tokens where it was trained with them, the prompt."""

    def begin(self, ids: Sequence[int]) -> Session:
        """Read a text, at least one token, to go on from there."""

    def token_logits(self, ids: Sequence[int]) -> Tensor:
        """Scores of the token after each place, [T, V], float32; at most `context_length` ids."""

    def attention(self, ids: Sequence[int]) -> Tensor | None:
        """Attention weights, [L, H, T, T], or None where the model does not give them."""


class DecoderReader:
    """Our network with its key-value cache, as sessions.Reader.

    Args:
        decoder: reads several tokens at once: a prompt, or the beams of a search.
        step: the same weights, for one token of one text; where they are quantized, it reads prompts too.
    """

    def __init__(self, decoder: Decoder, step: OneTokenDecoder):
        self._decoder, self._step = decoder, step
        self._device = decoder.embedding.weight.device
        self._cache: KeyValueCache | None = None

    def read(self, ids_BT: Tensor) -> Tensor:
        """As sessions.Reader."""
        if self._cache is None:
            dtype = self._step.dtype if len(ids_BT) == 1 else None
            self._cache = self._decoder.new_cache(len(ids_BT), dtype)
        if len(ids_BT) == 1 and (self._step.quantized or ids_BT.shape[1] == 1):
            return read_by_step(self._step, self._cache, ids_BT[0].tolist())[-1:].cpu()
        return self._decoder(ids_BT.to(self._device), self._cache)[:, -1].cpu()

    def select(self, rows_B: Tensor) -> None:
        """As sessions.Reader."""
        if self._cache is not None:
            self._cache.select(rows_B.to(self._device))
            if len(rows_B) > 1:
                self._cache.to(self._decoder.embedding.weight.dtype)

    def forget(self) -> None:
        """As sessions.Reader."""
        self._cache = None


def read_by_step(step: OneTokenDecoder, cache: KeyValueCache, ids: Sequence[int]) -> Tensor:
    """Scores after each of the tokens, [T, V], read one by one."""
    return torch.stack([step.read(index, cache) for index in ids])


class OursText:
    """A text model on our own network.

    Args:
        name: to show.
        decoder: its network.
        vocabulary: its tokenizer.
        family: pretrained where others trained the weights.
        start_ids: what an empty text starts from.
        starts_always: whether a prompt is read after the start tokens too, as in our training.
        banned_ids: never written.
        end_ids: these end a text.
        quantized: write with 8-bit weights.
    """

    def __init__(
        self,
        name: str,
        decoder: Decoder,
        vocabulary: Vocabulary,
        *,
        family: Family = "ours",
        start_ids: Sequence[int],
        starts_always: bool = True,
        banned_ids: Sequence[int] = (),
        end_ids: Sequence[int] = (),
        quantized: bool = False,
    ):
        self.name, self.family = name, family
        self.decoder = decoder.eval()
        self.step = OneTokenDecoder(decoder, quantized=quantized)
        self.vocab_size = decoder.config.vocab_size
        self.context_length = decoder.config.context_length
        self.num_parameters = decoder.num_parameters()
        self.memory_mib = memory_mib(decoder)
        self.start_ids, self.end_ids = tuple(start_ids), tuple(end_ids)
        self.banned_ids = tuple(banned_ids)
        self.unknown_id: int | None = getattr(vocabulary, "unknown_id", None)
        self._starts_always = starts_always
        self.encode, self.decode = vocabulary.encode, vocabulary.decode
        self.token_text, self.spans = vocabulary.token_text, vocabulary.spans

    def prompt_ids(self, prompt: str) -> list[int]:
        """As TextModel."""
        return opened(self.encode(prompt), self.start_ids, always=self._starts_always)

    @torch.inference_mode()
    def begin(self, ids: Sequence[int]) -> Session:
        """As TextModel."""
        return Session(DecoderReader(self.decoder, self.step), ids, self.context_length)

    @torch.no_grad()
    def token_logits(self, ids: Sequence[int]) -> Tensor:
        """As TextModel."""
        if self.step.quantized:
            return read_by_step(self.step, self.decoder.new_cache(dtype=self.step.dtype), ids)
        return self._read(ids)

    @torch.no_grad()
    def attention(self, ids: Sequence[int]) -> Tensor | None:
        """As TextModel."""
        weights: list[Tensor] = []
        self._read(ids, weights)
        return torch.stack([layer[0].float().cpu() for layer in weights])

    def _read(self, ids: Sequence[int], attention_out: list[Tensor] | None = None) -> Tensor:
        device = self.decoder.embedding.weight.device
        ids_BT = torch.tensor([list(ids)], device=device)
        return self.decoder(ids_BT, attention_out=attention_out)[0].cpu()


def opened(ids: list[int], start_ids: Sequence[int], *, always: bool) -> list[int]:
    """The ids after the start tokens, which are needed where there is nothing else to start from."""
    return [*start_ids, *ids] if always or not ids else ids


def memory_mib(network: torch.nn.Module) -> float:
    """What a network's weights take, shared ones counted once."""
    return sum(weight.numel() * weight.element_size() for weight in network.parameters()) / 2**20


def load_text_model(
    name_or_entry: str | CatalogEntry,
    *,
    on_ours: bool = False,
    dtype: str = "float32",
    allow_hub: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> TextModel:
    """A text model by its name, ready to write.

    Args:
        name_or_entry: what `catalog.find` takes, or what it gave.
        on_ours: run a GPT-2's weights on our own network.
        dtype: of the weights in memory: float32; bfloat16, which halves the memory that each token reads,
            for processors that compute in it; or int8, which quarters it, for our own models.
        allow_hub: whether hf:owner/name@commit is taken.
        progress: told (bytes fetched, bytes in all) while a pretrained model is fetched.

    Raises:
        InputError: there is no such model, its folder is broken or holds another kind, or it does not fit
            our network.
        DemoError: it is pretrained, and neither on this machine nor can the Hub be reached.
    """
    if dtype not in DTYPES:
        raise InputError("setting_range", name="dtype", expected="one of " + ", ".join(DTYPES), got=dtype)
    entry = find(name_or_entry, allow_hub=allow_hub) if isinstance(name_or_entry, str) else name_or_entry
    if on_ours and entry.architecture != "gpt2":
        raise InputError("not_on_ours", name=entry.name)
    if dtype == "int8" and entry.recipe != "gpt":
        raise InputError("setting_range", name="dtype", expected="float32 or bfloat16 here", got=dtype)
    if entry.recipe == "gpt":
        return _load_ours(entry, DTYPES[dtype], quantized=dtype == "int8")
    folder = hub.fetch(entry, progress)
    # transformers takes seconds to import, and our own models need nothing of it.
    from aigc_demo.generators.transformers_text import load_transformers_text

    return load_transformers_text(entry, folder, DTYPES[dtype], on_ours=on_ours)


def _load_ours(entry: CatalogEntry, dtype: torch.dtype, *, quantized: bool) -> OursText:
    folder = Path(entry.location)
    try:
        config = TransformerConfig.from_mapping(read_json(folder / "config.json"))
    except InputError as error:
        raise InputError("broken_model", path=str(folder), detail=f"config.json: {error}") from error
    with torch.device("meta"):
        shape = Decoder(config)
    check_weights(weights_path(folder), {name: weight.shape for name, weight in shape.state_dict().items()})
    tokenizer = Tokenizer.load(folder)
    check_vocabulary(folder, tokenizer, config.vocab_size)
    decoder = Decoder(config)
    decoder.load_state_dict(load_file(weights_path(folder)))
    return OursText(
        entry.name,
        decoder.to(dtype),
        tokenizer,
        start_ids=(tokenizer.start_id,),
        banned_ids=tokenizer.special_ids,
        quantized=quantized,
    )


def check_vocabulary(folder: Path, tokenizer: Tokenizer, vocab_size: int) -> None:
    """Refuse a folder whose tokenizer has other tokens than its network.

    Raises:
        InputError: their numbers differ.
    """
    if tokenizer.vocab_size != vocab_size:
        detail = f"its tokenizer has {tokenizer.vocab_size} tokens, its network {vocab_size}"
        raise InputError("broken_model", path=str(folder), detail=detail)
