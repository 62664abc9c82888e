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
from aigc_demo.data.captions.pairs import (
    LONGEST,
    PairCorpus,
    one_of_each,
    prepare_pairs,
    token_table,
    without_padding,
)
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.images.diffusion import load_scheduler
from aigc_demo.generators.images.model import Progress
from aigc_demo.generators.text_to_image.library import TEXT_ENCODER, TextUNet, load_text_unet, text_denoised
from aigc_demo.generators.text_to_image.model import TextSampling
from aigc_demo.nets.contrastive import is_token
from aigc_demo.training.diffusion.training import (
    NOISE,
    NORM_GROUPS,
    DiffusionTraining,
    levels_of,
    noise_of,
    places_of,
)
from aigc_demo.training.family import COUNTED_VOCABULARY, Family, ForwardPasses, empty_captions, empty_images
from aigc_demo.training.initial_weights import check_shape, model_to_go_on_from, words_to_go_on_with
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget
from aigc_demo.training.text_diffusion.recipe import TextDiffusionSettings
from aigc_demo.training.text_to_image.sample_captions import captions_of_sample

# By the library's names, of the UNet and of the text encoder.
UNET_SHAPE = ("sample_size", "in_channels", "block_out_channels", "layers_per_block", "cross_attention_dim")
READER_SHAPE = ("vocab_size", "hidden_size", "num_hidden_layers")


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
        return self.network(x_BCHW, timestep_B, self.network.read(ids_BT), is_token(ids_BT))


def prepare(
    order: Order,
    settings: TextDiffusionSettings,
    budget: Budget,
    run: RunDirectory,
    checkpoint: Path | None,
) -> TextDiffusionTraining:
    """As `Family.prepare`.

    Raises:
        InputError: the source has no pairs, or `--init` names a model of another kind or shape.
    """
    corpus = prepare_pairs(order.source, settings)
    tokenizer = words_to_go_on_with(order, checkpoint, corpus.train_captions)
    torch.manual_seed(order.seed)
    network = _network(settings, tokenizer.vocab_size)
    if order.init is not None and checkpoint is None:
        _take_over(order, settings, network)
    return TextDiffusionTraining(network, tokenizer, corpus, settings, budget, run, seed=order.seed)


def networks(recipe: str, settings: TextDiffusionSettings) -> list[nn.Module]:
    """The two networks as one, for a vocabulary of the tiny world's size."""
    return [_network(settings, COUNTED_VOCABULARY)]


def _network(settings: TextDiffusionSettings, vocab_size: int) -> TextUNet:
    """diffusers' UNet, whose smallest level asks the words, and transformers' text encoder."""
    from diffusers import UNet2DConditionModel
    from diffusers.models.attention_processor import AttnProcessor
    from diffusers.utils import logging as diffusers_logging
    from transformers import CLIPTextConfig, CLIPTextModel
    from transformers.utils import logging as transformers_logging

    # A bar for every checkpoint would tear the lines of events apart.
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    places = places_of(settings)
    plain = levels_of(places["sample_size"]) - 1
    unet = UNet2DConditionModel(
        **places,
        block_out_channels=(settings.base_channels,) * (plain + 1),
        layers_per_block=settings.layers_per_block,
        down_block_types=("DownBlock2D",) * plain + ("CrossAttnDownBlock2D",),
        up_block_types=("CrossAttnUpBlock2D",) + ("UpBlock2D",) * plain,
        norm_num_groups=NORM_GROUPS,
        cross_attention_dim=settings.hidden_size,
        attention_head_dim=settings.num_heads,
    )
    reader = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocab_size,
            hidden_size=settings.hidden_size,
            intermediate_size=2 * settings.hidden_size,
            num_hidden_layers=settings.num_layers,
            num_attention_heads=settings.num_heads,
            max_position_embeddings=LONGEST,
            bos_token_id=0,
            eos_token_id=0,
            pad_token_id=0,
        )
    )
    # Plain products: with torch's fused attention and heads as small as these a step on a CPU takes a fifth
    # longer (docs/experiments.md).
    unet.set_attn_processor(AttnProcessor())
    return TextUNet(unet, reader)


def _take_over(order: Order, settings: TextDiffusionSettings, network: TextUNet) -> None:
    """Put in the weights of the model that `--init` names.

    Raises:
        InputError: there is none, or it has another shape, or says something else of noisy pictures.
    """
    folder = Path(model_to_go_on_from(order).location)
    old = load_text_unet(folder)
    check_shape(order, UNET_SHAPE, old.unet, network.unet)
    check_shape(order, READER_SHAPE, old.text_encoder, network.text_encoder)
    check_shape(order, NOISE, load_scheduler(folder), noise_of(settings))
    network.load_state_dict(old.state_dict())


def _forward_passes(parts: list[nn.Module], settings: TextDiffusionSettings) -> ForwardPasses:
    network: Any = parts[0]
    seen_BT = torch.ones(settings.batch_size, LONGEST, dtype=torch.bool)
    timestep_B = torch.zeros(settings.batch_size, dtype=torch.long)

    def forward() -> Tensor:
        words_BTD = network.read(empty_captions(settings.batch_size))
        return network(empty_images(settings), timestep_B, words_BTD, seen_BT)

    return [(1, forward)]


FAMILY = Family(prepare, networks, _forward_passes)
