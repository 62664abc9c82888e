"""OpenAI's CLIP as a dual encoder: which text fits which picture, of any world."""

# Shapes: N pictures, M texts, E numbers of an embedding, C channels, H rows, W columns, T tokens.

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from aigc_demo.core.errors import InputError
from aigc_demo.core.weights_file import read_json
from aigc_demo.generators import hub
from aigc_demo.generators.catalog import CatalogEntry

MOST_AT_ONCE = 16


class ClipMatcher:
    """transformers' CLIPModel with what its folder says of words and pixels, asked as our own dual encoder.

    Args:
        folder: its snapshot.
        name: to show.

    Raises:
        InputError: something is missing, damaged, or of another kind.
    """

    def __init__(self, folder: Path, name: str = "clip"):
        from transformers import CLIPModel, CLIPTokenizer

        self.name = name
        try:
            self.network: Any = CLIPModel.from_pretrained(
                folder, use_safetensors=True, local_files_only=True
            ).eval()
            self.tokenizer: Any = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
            pixels = read_json(folder / "preprocessor_config.json")
            self.mean_C, self.std_C = (torch.tensor(pixels[name]) for name in ("image_mean", "image_std"))
        except Exception as error:  # the library says in as many ways that it does not like a folder
            raise InputError("broken_model", path=name, detail=type(error).__name__) from error
        self.image_size: int = self.network.config.vision_config.image_size
        self.num_parameters = sum(weight.numel() for weight in self.network.parameters())

    def ids(self, texts: Sequence[str]) -> Tensor:
        """Tokens of captions, [M, T]; it knows every word."""
        return self._tokens(texts)["input_ids"]

    @torch.inference_mode()
    def of_texts(self, texts: Sequence[str]) -> Tensor:
        """Vectors [M, E] of length 1."""
        return F.normalize(self.network.get_text_features(**self._tokens(texts)).pooler_output, dim=-1)

    @torch.inference_mode()
    def of_pictures(self, pictures_NCHW: Tensor) -> Tensor:
        """Vectors [N, E] of length 1 for uint8 pictures of any size."""
        parts = []
        for part_NCHW in pictures_NCHW.split(MOST_AT_ONCE):
            x_NCHW = part_NCHW.float() / 255
            size = (self.image_size, self.image_size)
            x_NCHW = F.interpolate(x_NCHW, size, mode="bicubic", antialias=True).clamp(0, 1)
            x_NCHW = (x_NCHW - self.mean_C[:, None, None]) / self.std_C[:, None, None]
            parts.append(self.network.get_image_features(pixel_values=x_NCHW).pooler_output)
        return F.normalize(torch.cat(parts), dim=-1)

    def scores(self, texts: Sequence[str], pictures_NCHW: Tensor) -> Tensor:
        """How well each picture fits each text, [M, N] from -1 to 1."""
        return self.of_texts(texts) @ self.of_pictures(pictures_NCHW).t()

    def _tokens(self, texts: Sequence[str]) -> dict[str, Tensor]:
        return dict(self.tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt"))


def load_clip(entry: CatalogEntry, progress: Callable[[int, int], None] | None = None) -> ClipMatcher:
    """OpenAI's CLIP by its entry, fetched if it is not here yet.

    Raises:
        InputError: something is missing, damaged, or of another kind.
        DemoError: it is neither on this machine nor can the Hub be reached.
    """
    return ClipMatcher(hub.fetch(entry, progress), entry.name)
