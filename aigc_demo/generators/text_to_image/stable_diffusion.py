"""Stable Diffusion and its distilled variants from the Hub, with a small decoder.

The pipeline is diffusers'. A model's own decoder takes most of an image's time on a CPU; the small one that
stands in for it was taught to draw the same.
"""

# Shapes: N images, C channels, H rows, W columns.

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aigc_demo.core.device import copy_to, seeded
from aigc_demo.core.files.weights_file import read_json
from aigc_demo.data.images.pixels import to_uint8
from aigc_demo.generators import hub
from aigc_demo.generators.catalog import small_decoder
from aigc_demo.generators.catalog_entry import CatalogEntry, Family
from aigc_demo.generators.images.model import Progress
from aigc_demo.generators.network_folder import named_after
from aigc_demo.generators.pretrained.network import load_diffusers, load_scheduler, load_transformers
from aigc_demo.generators.pretrained.tokenizer import read_tokenizer
from aigc_demo.generators.text_to_image.caption_tokens import CaptionTokens
from aigc_demo.generators.text_to_image.model import TextSampling

MOST_AT_ONCE = 2
UNET, SCHEDULER, TOKENIZER, TEXT_ENCODER, DECODER = "unet", "scheduler", "tokenizer", "text_encoder", "vae"
DECODERS = ("AutoencoderKL", "AutoencoderTiny")
ONE_STEP = "sd-turbo"  # the architecture of a model that was taught to need one step, and no guidance


class StableDiffusion:
    """A pretrained text-to-image model.

    Args:
        entry: of the catalog.
        folder: its snapshot: unet, text_encoder, tokenizer, scheduler.
        decoder: the folder of the small decoder; None for the model's own, in `vae`.

    Raises:
        InputError: something is missing, damaged, or of another kind.
    """

    family: Family = "pretrained"

    def __init__(self, entry: CatalogEntry, folder: Path, decoder: Path | None):
        from diffusers import StableDiffusionPipeline

        self.name, self.one_step = entry.name, entry.architecture == ONE_STEP
        self.image_size = entry.image_size or 512
        reader = load_transformers("CLIPTextModel", folder / TEXT_ENCODER, "clip_text_model")
        self.captions = CaptionTokens(
            read_tokenizer(folder / TOKENIZER, "clip", reader.config.vocab_size), reader.config
        )
        self.pipeline: Any = StableDiffusionPipeline(
            vae=_decoder(folder, decoder),
            text_encoder=reader,
            tokenizer=None,  # captions are embedded here
            unet=load_diffusers("UNet2DConditionModel", folder / UNET),
            scheduler=load_scheduler(folder / SCHEDULER),
            safety_checker=None,
            feature_extractor=None,
            image_encoder=None,
            requires_safety_checker=False,
        )
        self.pipeline.set_progress_bar_config(disable=True)
        parts = (self.pipeline.unet, self.pipeline.text_encoder, self.pipeline.vae)
        self.num_parameters = sum(weight.numel() for part in parts for weight in part.parameters())

    @torch.inference_mode()
    def make(
        self,
        texts: Sequence[str],
        seeds: Sequence[int],
        sampling: TextSampling,
        progress: Progress | None = None,
    ) -> Tensor:
        """As TextToImageModel; a model of one step takes one, without guidance."""
        batches: list[Tensor] = []
        steps = 1 if self.one_step else sampling.num_inference_steps
        for start in range(0, len(texts), MOST_AT_ONCE):
            part = slice(start, start + MOST_AT_ONCE)
            on_step = _StepCallback(self.pipeline, progress, steps, batches)
            latents = self.pipeline(
                prompt_embeds=self._embedded(texts[part]),
                negative_prompt_embeds=self._embedded([""] * len(texts[part])),
                height=self.image_size,
                width=self.image_size,
                num_inference_steps=steps,
                guidance_scale=0.0 if self.one_step else sampling.guidance_scale,
                generator=[seeded(seed) for seed in seeds[part]],
                output_type="latent",
                callback_on_step_end=on_step,
            ).images
            batches.append(_decoded(self.pipeline, latents))
            if on_step.stopped:
                break
        return torch.cat(batches)

    def on_device(self, device: str) -> "StableDiffusion":
        """The same model computing on another device; this one stays where it is."""
        moved, parts = copy.copy(self), dict(self.pipeline.components)
        for name, part in parts.items():
            parts[name] = copy_to(part, device) if isinstance(part, nn.Module) else copy.deepcopy(part)
        moved.pipeline = type(self.pipeline)(**parts, requires_safety_checker=False)
        moved.pipeline.set_progress_bar_config(disable=True)
        return moved

    def _embedded(self, texts: Sequence[str]) -> Tensor:
        """Text embeddings of captions, [N, T, D]."""
        reader = self.pipeline.text_encoder
        return reader(input_ids=self.captions.padded(texts).to(reader.device)).last_hidden_state


class _StepCallback:
    """Called by the pipeline after each step: reports progress and cancels on request."""

    def __init__(self, pipeline: Any, progress: Progress | None, steps: int, batches: list[Tensor]):
        self.pipeline, self.progress, self.steps, self.batches = pipeline, progress, steps, batches
        self.stopped = False

    def __call__(self, pipeline: Any, step: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
        if self.progress is not None:
            so_far = torch.cat([*self.batches, _decoded(self.pipeline, values["latents"])])
            self.stopped = self.progress(step + 1, self.steps, so_far)
            pipeline._interrupt = self.stopped
        return values


def load_small_decoder(entry: CatalogEntry, progress: Callable[[int, int], None] | None = None) -> nn.Module:
    """The small decoder that turns latents into images, fetched if it is not here yet.

    Raises:
        InputError: something is missing, damaged, or of another kind.
        DemoError: it is neither on this machine nor can the Hub be reached.
    """
    folder = hub.fetch(entry, progress)
    with named_after(entry.name, folder):
        return load_diffusers("AutoencoderTiny", folder)


def _decoder(folder: Path, small: Path | None) -> Any:
    if small is not None:
        return load_diffusers("AutoencoderTiny", small)
    kind = read_json(folder / DECODER / "config.json").get("_class_name")
    return load_diffusers(kind if kind in DECODERS else DECODERS[0], folder / DECODER)


def _decoded(pipeline: Any, latents: Tensor) -> Tensor:
    scale = pipeline.vae.config.scaling_factor
    return to_uint8(pipeline.vae.decode(latents / scale).sample).cpu()


def load_stable_diffusion(
    entry: CatalogEntry, progress: Callable[[int, int], None] | None = None
) -> StableDiffusion:
    """A pretrained text-to-image model by its entry, fetched with the small decoder if it is not here yet.

    One from a folder draws by its own decoder where the small one is not on this machine.

    Raises:
        InputError: something is missing, damaged, or of another kind.
        DemoError: it is neither on this machine nor can the Hub be reached.
    """
    folder, small = hub.fetch(entry, progress), small_decoder()
    own = not entry.on_hub and not hub.is_cached(small)
    decoder = None if own else hub.fetch(small, progress)
    with named_after(entry.name, folder):
        return StableDiffusion(entry, folder, decoder)
