"""The text-to-image baseline: a small diffusion model of diffusers' and transformers' classes.

diffusers' UNet2DConditionModel asks the words that transformers' CLIPTextModel has read. Its tokens are those
of our captions.
"""

# Shapes: N images, T tokens of a caption, D features of a token, C channels, H rows, W columns.

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aigc_demo.core.config import shown
from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import check_weights, read_json, weights_path
from aigc_demo.data.captions.pairs import token_ids, token_table, trim_padding
from aigc_demo.data.images.pixels import to_uint8
from aigc_demo.data.text.tokenizer import Tokenizer
from aigc_demo.generators.catalog_entry import CatalogEntry, Family
from aigc_demo.generators.images.diffusion import load_scheduler, load_unet, predicted, side_of_images
from aigc_demo.generators.images.model import Progress
from aigc_demo.generators.network_folder import load_weights
from aigc_demo.generators.text_to_image.model import TextSampling
from aigc_demo.nets.text_to_image.contrastive import token_mask

TEXT_ENCODER = "text_encoder"
MOST_AT_ONCE = 32
MOST_WORDS, MOST_SIZE, MOST_LAYERS = 100_000, 2048, 24
# What a folder may say of the text encoder: numbers, and not how the library is to compute.
OF_THE_READER = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "max_position_embeddings",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "hidden_act",
)


class TextUNet(nn.Module):
    """Both networks as one.

    Args:
        unet: the library's UNet2DConditionModel.
        text_encoder: the library's CLIPTextModel.
    """

    def __init__(self, unet: nn.Module, text_encoder: nn.Module):
        super().__init__()
        self.unet, self.text_encoder = unet, text_encoder

    def read(self, ids_NT: Tensor) -> Tensor:
        """Features of each token, [N, T, D], from the text encoder."""
        return self.text_encoder(input_ids=ids_NT).last_hidden_state

    def forward(self, x_NCHW: Tensor, timestep: Tensor, words_NTD: Tensor, seen_NT: Tensor) -> Tensor:
        """The prediction for noisy images of these captions; padding tokens are masked."""
        conditioning = {"encoder_hidden_states": words_NTD, "encoder_attention_mask": seen_NT}
        return predicted(self.unet, x_NCHW, timestep, **conditioning)


class DiffusionTextToImage:
    """The library's baseline.

    Args:
        name: to show.
        network: trained.
        scheduler: a DDIMScheduler with the noise that it was trained with.
        tokenizer: of its captions.
    """

    family: Family = "library"

    def __init__(self, name: str, network: TextUNet, scheduler: Any, tokenizer: Tokenizer):
        self.name, self.network = name, network.eval()
        self.scheduler, self.tokenizer = scheduler, tokenizer
        reader: Any = network.text_encoder
        self.image_size = side_of_images(network.unet)
        self.length: int = reader.config.max_position_embeddings
        self.num_parameters = sum(weight.numel() for weight in network.parameters())

    def knows(self, text: str) -> bool:
        """Whether any word of a caption is in its vocabulary."""
        return any(token_ids(self.tokenizer, text, self.length))

    def make(
        self,
        texts: Sequence[str],
        seeds: Sequence[int],
        sampling: TextSampling,
        progress: Progress | None = None,
    ) -> Tensor:
        """As TextToImageModel; if cancelled, the current estimate of the images."""
        batches, stopped = [], False

        def on_step(step: int, total: int, guessed_NCHW: Tensor) -> bool:
            nonlocal stopped
            stopped = progress is not None and progress(step, total, guessed_NCHW)
            return stopped

        for start in range(0, len(texts), MOST_AT_ONCE):
            part = slice(start, start + MOST_AT_ONCE)
            ids_NT = token_table(self.tokenizer, [texts[part]], self.length)[0]
            ids_NT = trim_padding(ids_NT)
            batches.append(
                text_denoised(self.network, self.scheduler, ids_NT, seeds[part], sampling, on_step)
            )
            if stopped:
                break
        return torch.cat(batches)


@torch.inference_mode()
def text_denoised(
    network: TextUNet,
    scheduler: Any,
    ids_NT: Tensor,
    seeds: Sequence[int],
    sampling: TextSampling,
    callback: Progress = lambda *_: False,
) -> Tensor:
    """Denoise images of captions, each from its own seed alone.

    With guidance g what the network says counts as f(x) + g (f(x, caption) - f(x)): the further from what it
    would say without the caption, the more the image heeds it. What comes of it is brought back to as much
    contrast as f(x, caption) has, or many steps would drive all colours to their ends.

    Args:
        network: of the library.
        scheduler: says which noise it was trained with.
        ids_NT: tokens of the captions.
        seeds: one for each.
        sampling: guidance, number of steps, and how to go from step to step.
        callback: called with each step and the image that the model guesses at it; true ends it there.

    Returns:
        uint8 [N, C, H, W].

    Source:
        Ho and Salimans 2022, arXiv:2207.12598, eq. 6, whose w is g - 1; there for the noise, of which a
        prediction of the image is a linear function. Lin et al. 2023, arXiv:2305.08891, section 3.4,
        for the contrast.
    """
    device = next(network.parameters()).device
    stepper = _stepper(sampling.scheduler, scheduler)
    stepper.set_timesteps(sampling.num_inference_steps)
    streams = [seeded(seed) for seed in seeds]
    side = side_of_images(network.unet)
    x_NCHW = torch.stack([torch.randn(3, side, side, generator=rng) for rng in streams]).to(device)
    x_NCHW = x_NCHW * stepper.init_noise_sigma
    scale = sampling.guidance_scale
    ids_NT = ids_NT.to(device)
    if scale != 1:
        ids_NT = torch.cat([ids_NT, torch.zeros_like(ids_NT)])
    words = network.read(ids_NT), token_mask(ids_NT)
    # Only where a step draws new noise does it need to know whose.
    noisy: dict[str, Any] = {"generator": streams} if sampling.scheduler == "ddpm" else {}
    for step, timestep in enumerate(stepper.timesteps, start=1):
        asked_NCHW = stepper.scale_model_input(x_NCHW, timestep)
        if scale == 1:
            output_NCHW = network(asked_NCHW, timestep, *words)
        else:
            conditional_NCHW, unconditional_NCHW = network(
                torch.cat([asked_NCHW] * 2), timestep, *words
            ).chunk(2)
            further_NCHW = unconditional_NCHW + scale * (conditional_NCHW - unconditional_NCHW)
            output_NCHW = further_NCHW * (_contrast(conditional_NCHW) / _contrast(further_NCHW))
        out = stepper.step(output_NCHW, timestep, x_NCHW, **noisy)
        x_NCHW = out.prev_sample
        guessed = getattr(out, "pred_original_sample", None)
        guessed_NCHW = to_uint8(x_NCHW if guessed is None else guessed).cpu()
        if callback(step, sampling.num_inference_steps, guessed_NCHW):
            return guessed_NCHW
    return to_uint8(x_NCHW).cpu()


def _contrast(x_NCHW: Tensor) -> Tensor:
    """Standard deviation of each image, [N, 1, 1, 1], bounded away from 0."""
    return x_NCHW.std(dim=(1, 2, 3), keepdim=True).clamp(min=1e-6)


def load_text_diffusion(entry: CatalogEntry) -> DiffusionTextToImage:
    """The library's text-to-image model by its entry in the catalog.

    Raises:
        InputError: something is missing, damaged, or of another kind.
    """
    folder = Path(entry.location)
    tokenizer = Tokenizer.load(folder)
    return DiffusionTextToImage(entry.name, load_text_unet(folder), load_scheduler(folder), tokenizer)


def load_text_unet(folder: Path) -> TextUNet:
    """Both networks in a model's folder, in evaluation mode, float32.

    Raises:
        InputError: one is missing, damaged, or of another kind.
    """
    from transformers import CLIPTextConfig, CLIPTextModel

    unet = load_unet(folder, "UNet2DConditionModel")
    place = folder / TEXT_ENCODER
    config = read_json(place / "config.json")
    if config.get("model_type") != "clip_text_model":
        detail, expected = f"its text encoder is {shown(config.get('model_type'))}", "a CLIPTextModel"
        raise InputError("foreign_model", path=str(folder), detail=detail, expected=expected)
    known = {name: config[name] for name in OF_THE_READER if name in config}
    sizes = [known.get(name) for name in ("vocab_size", "hidden_size", "num_hidden_layers")]
    ends = (MOST_WORDS, MOST_SIZE, MOST_LAYERS)
    try:
        sound = all(type(size) is int and 1 <= size <= end for size, end in zip(sizes, ends, strict=True))
        if not sound:
            raise ValueError("no size, or one too large")
        described = CLIPTextConfig(**known)
        with torch.device("meta"):
            empty = CLIPTextModel(described)
    except Exception as error:  # the library says in as many ways that it does not like a config
        raise InputError("broken_model", path=str(place), detail="config.json of its text encoder") from error
    held = dict(empty.named_parameters())
    check_weights(weights_path(place), {name: tuple(weight.shape) for name, weight in held.items()})

    encoder = CLIPTextModel(described)
    encoder.load_state_dict(load_weights(weights_path(place)), strict=False)
    return TextUNet(unet, encoder.float().eval()).eval()


def _stepper(name: str, scheduler: Any) -> Any:
    """The library's scheduler of that name, for the same noise."""
    from diffusers import DDPMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler

    if name == "ddim":
        return copy.deepcopy(scheduler)  # it keeps its place, and others may be at work with the same model
    kinds = {"ddpm": DDPMScheduler, "dpm": DPMSolverMultistepScheduler, "euler": EulerDiscreteScheduler}
    return kinds[name].from_config(scheduler.config)
