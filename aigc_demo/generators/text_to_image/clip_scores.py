"""OpenAI's CLIP as a dual encoder, for any images."""

# Shapes: N images, M texts, E numbers of an embedding, C channels, H rows, W columns, T tokens.

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from aigc_demo.core.files.weights_file import read_json
from aigc_demo.generators import hub
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.network_folder import named_after
from aigc_demo.generators.pretrained.config_keys import Key
from aigc_demo.generators.pretrained.network import load_transformers
from aigc_demo.generators.pretrained.tokenizer import read_tokenizer
from aigc_demo.generators.pretrained.untrusted_config import taken
from aigc_demo.generators.text_to_image.caption_tokens import CaptionTokens

MOST_AT_ONCE = 16
PIXELS = "preprocessor_config.json"
COLOUR = Key(low=0.0, high=1.0, longest=3, shortest=3, needed=True)


class ClipMatcher:
    """transformers' CLIPModel with its tokenizer and pixel normalization, as our own `Matcher`.

    Args:
        folder: its snapshot.
        name: to show.

    Raises:
        InputError: something is missing, damaged, or of another kind.
    """

    def __init__(self, folder: Path, name: str = "clip"):
        self.name = name
        self.network: Any = load_transformers("CLIPModel", folder, "clip")
        config = self.network.config
        self.captions = CaptionTokens(
            read_tokenizer(folder, "clip", config.text_config.vocab_size), config.text_config
        )
        pixels = taken(
            read_json(folder / PIXELS), {"image_mean": COLOUR, "image_std": COLOUR}, str(folder), PIXELS
        )
        self.mean_C, self.std_C = (torch.tensor(pixels[name]) for name in ("image_mean", "image_std"))
        self.image_size: int = config.vision_config.image_size
        self.num_parameters = sum(weight.numel() for weight in self.network.parameters())

    def ids(self, texts: Sequence[str]) -> Tensor:
        """Tokens of captions, [M, T]; no word is unknown."""
        return self._tokens(texts)["input_ids"]

    @torch.inference_mode()
    def of_texts(self, texts: Sequence[str]) -> Tensor:
        """Vectors [M, E] of length 1."""
        return F.normalize(self.network.get_text_features(**self._tokens(texts)).pooler_output, dim=-1)

    @torch.inference_mode()
    def of_images(self, images_NCHW: Tensor) -> Tensor:
        """Vectors [N, E] of length 1 for uint8 images of any size."""
        parts = []
        for part_NCHW in images_NCHW.split(MOST_AT_ONCE):
            x_NCHW = part_NCHW.float() / 255
            size = (self.image_size, self.image_size)
            x_NCHW = F.interpolate(x_NCHW, size, mode="bicubic", antialias=True).clamp(0, 1)
            x_NCHW = (x_NCHW - self.mean_C[:, None, None]) / self.std_C[:, None, None]
            parts.append(self.network.get_image_features(pixel_values=x_NCHW).pooler_output)
        return F.normalize(torch.cat(parts), dim=-1)

    def scores(self, texts: Sequence[str], images_NCHW: Tensor) -> Tensor:
        """Cosine similarity of each text and image, [M, N], -1 to 1."""
        return self.of_texts(texts) @ self.of_images(images_NCHW).t()

    def _tokens(self, texts: Sequence[str]) -> dict[str, Tensor]:
        rows = self.captions.rows(texts)
        lengths = [len(row) for row in rows]
        ids_MT = self.captions.filled(rows, max(lengths))
        seen_MT = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
        return {"input_ids": ids_MT, "attention_mask": seen_MT.long()}


def load_clip(entry: CatalogEntry, progress: Callable[[int, int], None] | None = None) -> ClipMatcher:
    """OpenAI's CLIP by its entry, fetched if it is not here yet.

    Raises:
        InputError: something is missing, damaged, or of another kind.
        DemoError: it is neither on this machine nor can the Hub be reached.
    """
    folder = hub.fetch(entry, progress)
    with named_after(entry.name, folder):
        return ClipMatcher(folder, entry.name)
