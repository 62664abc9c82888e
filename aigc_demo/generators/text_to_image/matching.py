"""Loads dual encoders and attribute readers by name."""

# Shapes: N images, M texts, E numbers of an embedding, C channels, H rows, W columns.

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from aigc_demo.core.errors import InputError
from aigc_demo.data.captions.pairs import token_table, trim_padding
from aigc_demo.data.images.pixels import to_float
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.catalog import find
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.hub import folder_of
from aigc_demo.generators.kinds import ATTRIBUTE_READER, DUAL_ENCODER, KINDS, check_kind
from aigc_demo.generators.network_folder import loaded
from aigc_demo.nets.images.attribute_reader import AttributeReader, AttributeReaderConfig
from aigc_demo.nets.text_to_image.contrastive import DualEncoder, DualEncoderConfig

if TYPE_CHECKING:
    from aigc_demo.generators.text_to_image.clip_scores import ClipMatcher

MOST_AT_ONCE = 250


class Matcher:
    """A dual encoder with its vocabulary.

    Args:
        encoder: trained.
        tokenizer: of its captions.
    """

    def __init__(self, encoder: DualEncoder, tokenizer: Tokenizer):
        self.encoder, self.tokenizer = encoder.eval(), tokenizer
        self.image_size = encoder.config.image_size
        self.num_parameters = encoder.num_parameters()

    def ids(self, texts: Sequence[str]) -> Tensor:
        """Tokens of captions, [M, T], padded to the longest."""
        table_MT = token_table(self.tokenizer, [texts], self.encoder.config.context_length)[0]
        return trim_padding(table_MT)

    @torch.inference_mode()
    def of_texts(self, texts: Sequence[str]) -> Tensor:
        """Vectors [M, E] of length 1."""
        parts = self.ids(texts).split(MOST_AT_ONCE)
        return torch.cat([self.encoder.embed_text(part) for part in parts])

    @torch.inference_mode()
    def of_images(self, images_NCHW: Tensor) -> Tensor:
        """Vectors [N, E] of length 1 for uint8 images of its size."""
        parts = images_NCHW.split(MOST_AT_ONCE)
        return torch.cat([self.encoder.embed_images(to_float(part)) for part in parts])

    def scores(self, texts: Sequence[str], images_NCHW: Tensor) -> Tensor:
        """Cosine similarity of each text and image, [M, N], -1 to 1."""
        return self.of_texts(texts) @ self.of_images(images_NCHW).t()


def load_any_matcher(
    entry: CatalogEntry, progress: Callable[[int, int], None] | None = None
) -> "Matcher | ClipMatcher":
    """A dual encoder, ours or the pretrained one.

    Args:
        entry: of the catalog.
        progress: called with (bytes fetched, bytes in all) where it comes over the network.

    Raises:
        InputError: its folder is broken or holds another kind.
        DemoError: it is pretrained, and neither on this machine nor can the Hub be reached.
    """
    if entry.family != "pretrained":
        return load_matcher(entry)
    from aigc_demo.generators.text_to_image.clip_scores import load_clip

    return load_clip(entry, progress)


def load_matcher(name_or_entry: str | CatalogEntry) -> Matcher:
    """A dual encoder of ours by its name, in evaluation mode.

    Raises:
        InputError: there is no such model, or its folder is broken or holds another kind.
    """
    entry = find(name_or_entry) if isinstance(name_or_entry, str) else name_or_entry
    check_kind(entry.name, entry.kind, DUAL_ENCODER)
    if entry.family == "pretrained":
        expected = f"was trained here and {KINDS[DUAL_ENCODER].sentence}"
        raise InputError("foreign_model", path=entry.name, detail="it is pretrained", expected=expected)
    return matcher_in(Path(entry.location))


def matcher_in(folder: Path) -> Matcher:
    """The dual encoder that lies in a folder.

    Raises:
        InputError: it is broken or holds another kind.
    """
    encoder = loaded(DualEncoder, DualEncoderConfig, folder)
    tokenizer = Tokenizer.load(folder)
    if tokenizer.vocab_size > encoder.config.vocab_size:
        detail = f"{tokenizer.vocab_size} words for a network of {encoder.config.vocab_size}"
        raise InputError("broken_model", path=folder.name, detail=detail)
    return Matcher(encoder, tokenizer)


def load_reader(
    name_or_entry: str | CatalogEntry, progress: Callable[[int, int], None] | None = None
) -> AttributeReader:
    """An attribute reader by name, in evaluation mode.

    Args:
        name_or_entry: what `catalog.find` takes, or what it gave.
        progress: called with (bytes fetched, bytes in all) where it comes over the network.

    Raises:
        InputError: there is no such model, or its folder is broken or holds another kind.
    """
    return loaded(
        AttributeReader, AttributeReaderConfig, folder_of(name_or_entry, ATTRIBUTE_READER, progress)
    )
