"""How a training of the library's text-to-image model is put together from an order."""

from pathlib import Path

import torch
from torch import nn

from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.captions.pairs import LONGEST, prepare_pairs
from aigc_demo.generators.images.diffusion import load_scheduler
from aigc_demo.generators.text_to_image.library import TextUNet, load_text_unet
from aigc_demo.training.contrastive.start import COUNTED_VOCABULARY
from aigc_demo.training.diffusion.start import NOISE, NORM_GROUPS, levels_of, places_of
from aigc_demo.training.diffusion.training import noise_of
from aigc_demo.training.initial_weights import check_shape, model_to_go_on_from, words_to_go_on_with
from aigc_demo.training.order import Order
from aigc_demo.training.pair_settings import TextDiffusionSettings
from aigc_demo.training.settings import Budget
from aigc_demo.training.text_diffusion.training import TextDiffusionTraining

# By the library's names, of the UNet and of the text encoder.
UNET_SHAPE = ("sample_size", "in_channels", "block_out_channels", "layers_per_block", "cross_attention_dim")
READER_SHAPE = ("vocab_size", "hidden_size", "num_hidden_layers")


def prepare(
    order: Order,
    settings: TextDiffusionSettings,
    budget: Budget,
    run: RunDirectory,
    checkpoint: Path | None,
) -> TextDiffusionTraining:
    """Data, networks and loop, nothing trained yet.

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
