"""Training the library baseline for text-to-image: as `training/diffusion/training`, conditioned on captions.

Some captions are dropped, so that the network is trained without a condition too: classifier-free guidance
needs both predictions.
"""

# Shapes: B images of a batch, N images in all, P captions of an image, T tokens of a caption,
# C channels, H rows, W columns.

from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.pairs import (
    LONGEST,
    PairCorpus,
    prepare_pairs,
    random_captions,
    token_table,
    trim_padding,
)
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.images.diffusion import load_scheduler
from aigc_demo.generators.images.model import Progress
from aigc_demo.generators.text_to_image.library import TEXT_ENCODER, TextUNet, load_text_unet, text_denoised
from aigc_demo.generators.text_to_image.model import TextSampling
from aigc_demo.nets.text_to_image.contrastive import token_mask
from aigc_demo.training.diffusion.training import (
    NOISE,
    NORM_GROUPS,
    DiffusionTraining,
    noise_schedule,
    num_levels_of,
    unet_sizes,
)
from aigc_demo.training.family import COUNTED_VOCABULARY, Family, ForwardPasses, empty_captions, empty_images
from aigc_demo.training.initial_weights import check_shape, init_model, tokenizer_of_run
from aigc_demo.training.order import Order
from aigc_demo.training.settings import Budget
from aigc_demo.training.text_diffusion.recipe import NAME, TextDiffusionSettings
from aigc_demo.training.text_to_image.captions import captions_of_sample

# By the library's names, of the U-Net and of the text encoder.
UNET_SHAPE = ("sample_size", "in_channels", "block_out_channels", "layers_per_block", "cross_attention_dim")
TEXT_ENCODER_SHAPE = ("vocab_size", "hidden_size", "num_hidden_layers")


class TextDiffusionTraining(DiffusionTraining):
    """One training of a diffusion model that is conditioned on captions.

    Args:
        network: the library's U-Net and text encoder.
        tokenizer: of the captions.
        corpus: images with captions.
        seed: of batches and noise.

    Source:
        Ho and Salimans 2022, arXiv:2207.12598, algorithm 1, for dropping captions.
    """

    recipe = NAME

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
        super().__init__(_OnTokens(network), corpus, settings, budget, run, seed=seed)
        self.settings: TextDiffusionSettings = settings
        self.pairs, self.tokenizer = corpus, tokenizer
        text_encoder: Any = network.text_encoder
        length = text_encoder.config.max_position_embeddings
        self.captions_NPT = token_table(tokenizer, corpus.train_captions, length)
        self.held_NPT = token_table(tokenizer, corpus.validation_captions, length)
        self.sample_captions, self.sample_ids_NT = captions_of_sample(
            corpus, self.captions_NPT, self.held_NPT, settings.sample_pictures
        )

    def conditioning(self, index_B: Tensor, rng: torch.Generator) -> tuple[Tensor, ...]:
        """As DiffusionTraining: one caption of each image, or none."""
        ids_BT = random_captions(self.captions_NPT[index_B], rng)
        dropped_B1 = torch.rand(len(ids_BT), 1, generator=rng) < self.settings.caption_dropout
        return (trim_padding(ids_BT).masked_fill(dropped_B1, 0),)

    def model_output(
        self, network: nn.Module, x_BCHW: Tensor, timestep_B: Tensor, *conditioning: Tensor
    ) -> Tensor:
        """As DiffusionTraining."""
        return network(x_BCHW, timestep_B, *conditioning)

    def validation_conditioning(self, index_B: Tensor) -> tuple[Tensor, ...]:
        """As DiffusionTraining."""
        return (self.held_NPT[index_B, index_B % self.held_NPT.shape[1]],)

    def generate_sample(self, scheduler: DDIMScheduler, ask: Progress) -> Tensor:
        """As DiffusionTraining; each caption has a row of its own."""
        averaged: Any = self.averaged_network()
        sampling = TextSampling(num_inference_steps=self.settings.sample_steps)
        seeds = range(len(self.sample_ids_NT))
        return text_denoised(averaged.network, scheduler, self.sample_ids_NT, seeds, sampling, ask)

    def sample_text(self) -> str:
        """As DiffusionTraining: the caption of each row."""
        return "\n".join(self.sample_captions)

    def write_model(self, folder: Path) -> None:
        """Each network in a folder of its own, as the libraries load them; scheduler, tokenizer, recipe."""
        self.writable.load_state_dict(self.averaged_network().state_dict())
        written: Any = self.writable
        written.network.unet.save_pretrained(folder / "unet")
        written.network.text_encoder.save_pretrained(folder / TEXT_ENCODER)
        self.noise.save_pretrained(folder / "scheduler")
        self.tokenizer.save(folder)
        self.write_config(folder)

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


class _OnTokens(nn.Module):
    """The U-Net with its text encoder in front: takes tokens instead of encoded ones."""

    def __init__(self, network: TextUNet):
        super().__init__()
        self.network = network

    def forward(self, x_BCHW: Tensor, timestep_B: Tensor, ids_BT: Tensor) -> Tensor:
        return self.network(x_BCHW, timestep_B, self.network.read(ids_BT), token_mask(ids_BT))


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
    tokenizer = tokenizer_of_run(order, checkpoint, corpus.train_captions)
    torch.manual_seed(order.seed)
    network = _network(settings, tokenizer.vocab_size)
    if order.init is not None and checkpoint is None:
        _take_over(order, settings, network)
    return TextDiffusionTraining(network, tokenizer, corpus, settings, budget, run, seed=order.seed)


def networks(recipe: str, settings: TextDiffusionSettings) -> list[nn.Module]:
    """U-Net and text encoder as one, for a vocabulary of the tiny world's size."""
    return [_network(settings, COUNTED_VOCABULARY)]


def _network(settings: TextDiffusionSettings, vocab_size: int) -> TextUNet:
    """diffusers' U-Net with cross-attention in its smallest level, and transformers' text encoder."""
    from diffusers import UNet2DConditionModel
    from diffusers.models.attention_processor import AttnProcessor
    from diffusers.utils import logging as diffusers_logging
    from transformers import CLIPTextConfig, CLIPTextModel
    from transformers.utils import logging as transformers_logging

    # A bar for every checkpoint would tear the lines of events apart.
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    places = unet_sizes(settings)
    plain = num_levels_of(places["sample_size"]) - 1
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
    text_encoder = CLIPTextModel(
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
    return TextUNet(unet, text_encoder)


def _take_over(order: Order, settings: TextDiffusionSettings, network: TextUNet) -> None:
    """Put in the weights of the model that `--init` names.

    Raises:
        InputError: there is none, or it has another shape, or another prediction type.
    """
    folder = Path(init_model(order).location)
    old = load_text_unet(folder)
    check_shape(order, UNET_SHAPE, old.unet, network.unet)
    check_shape(order, TEXT_ENCODER_SHAPE, old.text_encoder, network.text_encoder)
    check_shape(order, NOISE, load_scheduler(folder), noise_schedule(settings))
    network.load_state_dict(old.state_dict())


def _forward_passes(parts: list[nn.Module], settings: TextDiffusionSettings) -> ForwardPasses:
    network: Any = parts[0]
    mask_BT = torch.ones(settings.batch_size, LONGEST, dtype=torch.bool)
    timestep_B = torch.zeros(settings.batch_size, dtype=torch.long)

    def forward() -> Tensor:
        text_BTD = network.read(empty_captions(settings.batch_size))
        return network(empty_images(settings), timestep_B, text_BTD, mask_BT)

    return [(1, forward)]


FAMILY = Family(prepare, networks, _forward_passes)
