"""Text models on transformers' networks: the library baseline from a folder, pretrained ones from the Hub."""

# Shapes: B texts side by side, T tokens, V vocabulary, L layers, H heads.

import copy
import inspect
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, PreTrainedModel
from transformers.utils import logging as transformers_logging

from aigc_demo.core.config import shown
from aigc_demo.core.device import copy_to
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import read_header, read_json
from aigc_demo.core.library_errors import library_errors
from aigc_demo.data.text.cleaning import clean_text
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.pretrained.config_keys import TRANSFORMERS
from aigc_demo.generators.pretrained.network import ONE_AT_A_TIME, load_transformers, transformers_config
from aigc_demo.generators.pretrained.tokenizer import PretrainedTokenizer, read_tokenizer
from aigc_demo.generators.pretrained.untrusted_config import taken
from aigc_demo.generators.text.model import (
    TextModel,
    Vocabulary,
    check_vocabulary,
    memory_mib,
    opened,
    trained_vocabulary,
)
from aigc_demo.generators.text.ours import OursText
from aigc_demo.generators.text.sessions import Session

CLASSES = {"gpt2": "GPT2LMHeadModel", "llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM"}
ENDS = ("bos_token_id", "eos_token_id")

# Some could look at 32,768 tokens; what they are shown is limited to GPT-2's context, so that the scores of
# a pasted text (one row of 151,936 numbers for each token) stay below a gibibyte.
LONGEST_CONTEXT = 1024


class HubVocabulary:
    """A pretrained model's tokenizer, as text_model.Vocabulary.

    Args:
        tokenizer: for which special tokens typed by a user are text, not commands.
    """

    def __init__(self, tokenizer: PretrainedTokenizer):
        self._inner = tokenizer.backend
        self._tokenizer = tokenizer
        self.size = tokenizer.size
        self.special_ids = tokenizer.special_ids
        self.unknown_id = tokenizer.unknown_id

    def encode(self, text: str) -> list[int]:
        """As Vocabulary."""
        return self._tokenizer.encode(text)

    def decode(self, ids: list[int]) -> str:
        """As Vocabulary."""
        return self._inner.decode(ids, skip_special_tokens=True)

    def token_text(self, index: int) -> str:
        """As Vocabulary; a special token by its name, and nothing for a number without a token."""
        if index in self.special_ids:
            return self._inner.id_to_token(index) or ""
        return self._inner.decode([index], skip_special_tokens=False)

    def spans(self, text: str) -> list[tuple[int, int, int]]:
        """As Vocabulary; a space that the tokenizer leaves out of its places belongs to the next token."""
        encoding = self._tokenizer.encoding(text)
        found, reached = [], 0
        for index, (first, past) in zip(encoding.ids, encoding.offsets, strict=True):
            found.append((index, min(first, reached), past))
            reached = max(reached, past)
        return found


class TransformersReader:
    """A transformers network with its key-value cache, as sessions.Reader."""

    def __init__(self, network: PreTrainedModel):
        self._network = network
        self._cache: Any = None
        # transformers 5.24 gave the argument its new name, one architecture after the other.
        known = inspect.signature(type(network).forward).parameters
        self._argument = "cache" if "cache" in known else "past_key_values"

    def read(self, ids_BT: Tensor) -> Tensor:
        """As sessions.Reader."""
        if self._cache is None:
            self._cache = DynamicCache(config=self._network.config)
        ids_BT = ids_BT.to(self._network.device)
        cache = {self._argument: self._cache}
        output = self._network(input_ids=ids_BT, **cache, use_cache=True, logits_to_keep=1)
        return output.logits[:, -1].float().cpu()

    def select(self, rows_B: Tensor) -> None:
        """As sessions.Reader."""
        if self._cache is not None:
            self._cache.reorder_cache(rows_B.to(self._network.device))

    def forget(self) -> None:
        """As sessions.Reader."""
        self._cache = None


class TransformersText:
    """A text model on a transformers network, as text_model.TextModel.

    Args:
        entry: what the catalog says of it.
        network: in evaluation mode.
        vocabulary: its tokenizer.
        start_ids: what an empty text starts from.
        starts_always: whether a prompt is read after the start tokens too.
        banned_ids: never written.
        end_ids: these end a text.
    """

    def __init__(
        self,
        entry: CatalogEntry,
        network: PreTrainedModel,
        vocabulary: Vocabulary,
        *,
        start_ids: Sequence[int],
        starts_always: bool,
        banned_ids: Sequence[int] = (),
        end_ids: Sequence[int] = (),
    ):
        self.name, self.family = entry.name, entry.family
        self.network = network.eval()
        self.vocab_size = int(network.config.vocab_size)
        self.context_length = min(
            LONGEST_CONTEXT, getattr(network.config, "max_position_embeddings", LONGEST_CONTEXT)
        )
        self.num_parameters = int(network.num_parameters())
        self.memory_mib = memory_mib(network)
        self.start_ids, self.end_ids = tuple(start_ids), tuple(end_ids)
        self.banned_ids = tuple(banned_ids)
        self.unknown_id: int | None = getattr(vocabulary, "unknown_id", None)
        self._starts_always = starts_always
        self.encode, self.decode = vocabulary.encode, vocabulary.decode
        self.token_text, self.spans = vocabulary.token_text, vocabulary.spans

    def on_device(self, device: str) -> "TransformersText":
        """The same model computing on another device; this one stays where it is."""
        moved = copy.copy(self)
        moved.__dict__.pop("_attentive", None)
        moved.network = copy_to(self.network, device)
        return moved

    def prompt_ids(self, prompt: str) -> list[int]:
        """As TextModel."""
        return opened(self.encode(clean_text(prompt)), self.start_ids, always=self._starts_always)

    @torch.inference_mode()
    def begin(self, ids: Sequence[int]) -> Session:
        """As TextModel."""
        return Session(TransformersReader(self.network), ids, self.context_length)

    @torch.no_grad()
    def token_logits(self, ids: Sequence[int]) -> Tensor:
        """As TextModel."""
        self._check_length(ids)
        return self.network(input_ids=self._row(ids), use_cache=False).logits[0].float().cpu()

    @torch.no_grad()
    def attention(self, ids: Sequence[int]) -> Tensor | None:
        """As TextModel."""
        self._check_length(ids)
        output = self._attentive(input_ids=self._row(ids), use_cache=False, output_attentions=True)
        return torch.stack([layer[0].float().cpu() for layer in output.attentions])

    @cached_property
    def _attentive(self) -> PreTrainedModel:
        """A second network with the same weights whose attention returns its weights.

        The fused kernel of the first one does not give them, and switching it while another visitor
        writes with it would change his numbers.
        """
        twin = _skeleton(self.network.config, attn_implementation="eager")
        for name, module in self.network.named_modules():
            place = twin.get_submodule(name)
            place._parameters, place._buffers = module._parameters, module._buffers
        return twin.eval()

    def _row(self, ids: Sequence[int]) -> Tensor:
        return torch.tensor([list(ids)], device=self.network.device)

    def _check_length(self, ids: Sequence[int]) -> None:
        if len(ids) > self.context_length:
            raise ValueError(f"{len(ids)} tokens do not fit a context of {self.context_length}")


def load_transformers_text(
    entry: CatalogEntry, folder: Path, dtype: torch.dtype, *, on_ours: bool = False
) -> TextModel:
    """A text model from a folder in transformers' layout; nothing is fetched here.

    Args:
        entry: what the catalog says of it.
        folder: config.json, safetensors and the tokenizer.
        dtype: of the weights in memory. A bfloat16 file in float32 is several times faster on a CPU.
        on_ours: put a GPT-2's weights on our own network.

    Raises:
        InputError: the folder is broken or holds another kind of model.
    """
    read = _read_pretrained if entry.family == "pretrained" else _read_trained
    network, vocabulary, special = read(folder, dtype)
    if not on_ours:
        return TransformersText(entry, network, vocabulary, **special)
    from aigc_demo.nets.text.gpt2_weights import load_gpt2_weights

    decoder = load_gpt2_weights(network).to(dtype)
    return OursText(entry.name, decoder, vocabulary, family=entry.family, **special)


def _load_network(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    """A known architecture, rebuilt from what its folder may say; any other as the library loads it."""
    architecture = read_json(folder / "config.json").get("model_type")
    if not isinstance(architecture, str) or architecture not in CLASSES:
        return _load_by_library(folder, dtype)
    network = load_transformers(CLASSES[architecture], folder, architecture, dtype)
    path = folder / "generation_config.json"
    if path.is_file():
        ends = taken(
            read_json(path), {name: TRANSFORMERS["gpt2"][name] for name in ENDS}, str(folder), path.name
        )
        for name, value in ends.items():
            if all(token < network.config.vocab_size for token in _listed(value)):
                setattr(network.generation_config, name, value)
    return network


def _load_by_library(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    """A network of an architecture that is not known here, from the Hub; what lacks a tensor is refused."""
    transformers_logging.disable_progress_bar()
    for path in folder.glob("*.safetensors"):
        read_header(path)
    with library_errors("broken_model", path=str(folder), detail="its network"), ONE_AT_A_TIME:
        network, info = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    if info["missing_keys"] or info["mismatched_keys"]:
        detail = f"{len(info['missing_keys']) + len(info['mismatched_keys'])} tensors are missing or differ"
        raise InputError("broken_model", path=str(folder), detail=detail)
    return network


def _read_trained(folder: Path, dtype: torch.dtype) -> tuple[PreTrainedModel, Vocabulary, dict[str, Any]]:
    """The library's network that was trained here, our tokenizer, and its special tokens' meaning."""
    kind = read_json(folder / "config.json").get("model_type")
    if kind != "gpt2":
        detail = f"model_type is {shown(kind)}"
        raise InputError("foreign_model", path=str(folder), detail=detail, expected="is a GPT-2")
    config = transformers_config(folder, "gpt2")
    tokenizer = Tokenizer.load(folder)
    check_vocabulary(folder, tokenizer, int(config.vocab_size))
    # Trained on the same rows as ours, hence started in the same way.
    special = {
        "start_ids": (tokenizer.start_id,),
        "starts_always": True,
        "banned_ids": tokenizer.special_ids,
    }
    return _load_network(folder, dtype), trained_vocabulary(folder, tokenizer), special


def _read_pretrained(folder: Path, dtype: torch.dtype) -> tuple[PreTrainedModel, Vocabulary, dict[str, Any]]:
    """A network of others with its own tokenizer."""
    config = read_json(folder / "config.json")
    architecture, size = config.get("model_type"), config.get("vocab_size")
    if not isinstance(architecture, str) or architecture not in CLASSES:
        tokenizer = _library_tokenizer(folder)
    else:
        tokenizer = read_tokenizer(folder, architecture, size if type(size) is int else None)
    vocabulary, network = HubVocabulary(tokenizer), _load_network(folder, dtype)
    return network, vocabulary, _pretrained_special(network, vocabulary)


def _library_tokenizer(folder: Path) -> PretrainedTokenizer:
    """The tokenizer of an architecture that is not known here, as the library reads it."""
    with library_errors("broken_model", path=str(folder), detail="its tokenizer"):
        read = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        inner = read.backend_tokenizer
        inner.no_padding()
        inner.no_truncation()
        inner.encode_special_tokens = True
        added = {index for index, token in inner.get_added_tokens_decoder().items() if token.special}
        return PretrainedTokenizer(inner, tuple(sorted({*read.all_special_ids, *added})))


def _pretrained_special(network: PreTrainedModel, vocabulary: HubVocabulary) -> dict[str, Any]:
    """Which tokens of a pretrained model start a text, end it, and are never written.

    Never written are special tokens that do not end a text, and numbers beyond the vocabulary: networks
    round their output up (Qwen2.5 gives 151,936 scores for 151,665 tokens).
    """
    configs = (network.generation_config, network.config)
    ends = next((found for config in configs if (found := _ids(config, "eos_token_id"))), ())
    starts = next((found for config in configs if (found := _ids(config, "bos_token_id"))), ends[:1])
    beyond = range(vocabulary.size, int(network.config.vocab_size))
    banned = (*(index for index in vocabulary.special_ids if index not in ends), *beyond)
    return {
        "start_ids": starts or (0,),
        "starts_always": False,
        "banned_ids": tuple(index for index in banned if index < network.config.vocab_size),
        "end_ids": ends,
    }


def _ids(config: Any, name: str) -> tuple[int, ...]:
    return _listed(getattr(config, name, None))


def _listed(value: Any) -> tuple[int, ...]:
    """One token, several, or none."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, (list, tuple)) else (int(value),)


def _skeleton(config: Any, **arguments: Any) -> PreTrainedModel:
    """The network on the meta device."""
    with torch.device("meta"):
        # A copy, since the arguments are written into the configuration.
        return AutoModelForCausalLM.from_config(copy.deepcopy(config), **arguments)
