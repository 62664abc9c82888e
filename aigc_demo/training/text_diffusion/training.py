"""Training the library baseline for pictures of captions: as `training/diffusion/training`, with captions.

Now and then a caption is left away, so that the network also learns what it would do without one: guidance
needs both.
"""

# Shapes: B pictures of a batch, N pictures in all, P captions of a picture, T tokens of a caption,
# C channels, H rows, W columns.

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.pairs import PairCorpus, random_captions, token_table, trim_padding
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.images.model import Progress
from aigc_demo.generators.text_to_image.library import TEXT_ENCODER, TextUNet, text_denoised
from aigc_demo.generators.text_to_image.model import TextSampling
from aigc_demo.nets.contrastive import token_mask
from aigc_demo.training.diffusion.training import DiffusionTraining
from aigc_demo.training.pair_settings import TextDiffusionSettings
from aigc_demo.training.sample_captions import captions_of_sample
from aigc_demo.training.settings import Budget


class TextDiffusionTraining(DiffusionTraining):
    """One training of a diffusion model that is given captions.

    Args:
        network: the library's two networks.
        tokenizer: of the captions.
        corpus: pairs.
        settings: of the recipe.
        budget: how long.
        run: where it is recorded.
        seed: of batches and noise.

    Source:
        Ho and Salimans 2022, arXiv:2207.12598, algorithm 1, for leaving captions away.
    """

    def __init__(
        self,
        network: TextUNet,
        tokenizer: Tokenizer,
        corpus: PairCorpus,
        settings: TextDiffusionSettings,
        budget: Budget,
        run: RunDirectory,
        *,
        seed: int = 0,
    ):
        super().__init__(_Reading(network), corpus, settings, budget, run, seed=seed)
        self.settings: TextDiffusionSettings = settings
        self.pairs, self.tokenizer = corpus, tokenizer
        reader: Any = network.text_encoder
        length = reader.config.max_position_embeddings
        self.captions_NPT = token_table(tokenizer, corpus.train_captions, length)
        self.held_NPT = token_table(tokenizer, corpus.validation_captions, length)
        self.sample_captions, self.sample_ids_NT = captions_of_sample(
            corpus, self.captions_NPT, self.held_NPT, settings.sample_pictures
        )

    def told(self, index_B: Tensor, rng: torch.Generator) -> tuple[Tensor, ...]:
        """As DiffusionTraining: one caption of each, or none."""
        ids_BT = random_captions(self.captions_NPT[index_B], rng)
        left_away_B1 = torch.rand(len(ids_BT), 1, generator=rng) < self.settings.caption_dropout
        return (trim_padding(ids_BT).masked_fill(left_away_B1, 0),)

    def said(self, network: nn.Module, x_BCHW: Tensor, timestep_B: Tensor, *told: Tensor) -> Tensor:
        """As DiffusionTraining."""
        return network(x_BCHW, timestep_B, *told)

    def told_held_out(self, index_B: Tensor) -> tuple[Tensor, ...]:
        """As DiffusionTraining."""
        return (self.held_NPT[index_B, index_B % self.held_NPT.shape[1]],)

    def drawn(self, scheduler: DDIMScheduler, ask: Progress) -> Tensor:
        """As DiffusionTraining; each caption has a row of its own."""
        kept: Any = self.kept_network()
        asked = TextSampling(num_inference_steps=self.settings.sample_steps)
        seeds = range(len(self.sample_ids_NT))
        return text_denoised(kept.network, scheduler, self.sample_ids_NT, seeds, asked, ask)

    def sample_text(self) -> str:
        """As DiffusionTraining: the caption of each row."""
        return "\n".join(self.sample_captions)

    def write_model(self, folder: Path) -> None:
        """Each network in a folder of its own, as the libraries load them; scheduler, tokenizer, recipe."""
        self.writable.load_state_dict(self.kept_network().state_dict())
        written: Any = self.writable
        written.network.unet.save_pretrained(folder / "unet")
        written.network.text_encoder.save_pretrained(folder / TEXT_ENCODER)
        self.noise.save_pretrained(folder / "scheduler")
        self.tokenizer.save(folder)
        marker = {"recipe": "text2image-diffusion", "image_size": self.settings.image_size}
        (folder / "config.json").write_text(json.dumps(marker, indent=2) + "\n")

    def facts(self) -> dict[str, Any]:
        """As DiffusionTraining; the captions."""
        facts = super().facts()
        del facts["num_modes"]
        return {
            **facts,
            "vocab_size": self.tokenizer.vocab_size,
            "train_captions": sum(map(len, self.pairs.train_captions)),
            "sample_captions": list(self.sample_captions),
        }


class _Reading(nn.Module):
    """The two networks, given tokens instead of what the text encoder makes of them."""

    def __init__(self, network: TextUNet):
        super().__init__()
        self.network = network

    def forward(self, x_BCHW: Tensor, timestep_B: Tensor, ids_BT: Tensor) -> Tensor:
        return self.network(x_BCHW, timestep_B, self.network.read(ids_BT), token_mask(ids_BT))
