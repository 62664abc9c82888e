"""Stable Diffusion and its small kin from the Hub, as models of captions, with a small decoder.

The pipeline is diffusers'. A model's own decoder takes most of a picture's time on a CPU; the small one that
stands in for it was taught to draw the same.
"""

# Shapes: N pictures, C channels, H rows, W columns.

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aigc_demo.core.device import seeded
from aigc_demo.core.errors import InputError
from aigc_demo.data.pixels import as_bytes
from aigc_demo.generators import hub
from aigc_demo.generators.catalog import SMALL_DECODER, CatalogEntry, Family
from aigc_demo.generators.picture_model import Progress
from aigc_demo.generators.text_sampling import TextSampling

LATENT_SCALE = 8  # rows of a picture for one of what the UNet sees
MOST_AT_ONCE = 2
ONE_STEP = "sd-turbo"  # the architecture of a model that was taught to need one step, and no guidance


class StableDiffusion:
    """A pretrained text-to-image model.

    Args:
        entry: of the catalog.
        folder: its snapshot: unet, text_encoder, tokenizer, scheduler.
        decoder: the snapshot of the small decoder.

    Raises:
        InputError: something is missing, damaged, or of another kind.
    """

    family: Family = "pretrained"

    def __init__(self, entry: CatalogEntry, folder: Path, decoder: Path):
        from diffusers import AutoencoderTiny, StableDiffusionPipeline

        self.name, self.one_step = entry.name, entry.architecture == ONE_STEP
        self.image_size = entry.image_size or 512
        try:
            small = AutoencoderTiny.from_pretrained(decoder, use_safetensors=True, local_files_only=True)
            self.pipeline: Any = StableDiffusionPipeline.from_pretrained(
                folder,
                vae=small,
                safety_checker=None,
                feature_extractor=None,
                requires_safety_checker=False,
                use_safetensors=True,
                local_files_only=True,
            )
        except Exception as error:  # the library says in as many ways that it does not like a folder
            raise InputError("broken_model", path=entry.name, detail=type(error).__name__) from error
        self.pipeline.set_progress_bar_config(disable=True)
        parts = (self.pipeline.unet, self.pipeline.text_encoder, self.pipeline.vae)
        self.num_parameters = sum(weight.numel() for part in parts for weight in part.parameters())
        self._noise = dict(self.pipeline.scheduler.config)

    @torch.inference_mode()
    def make(
        self,
        texts: Sequence[str],
        seeds: Sequence[int],
        sampling: TextSampling,
        progress: Progress | None = None,
    ) -> Tensor:
        """As TextToImageModel; a model of one step takes one, without guidance."""
        made: list[Tensor] = []
        steps = 1 if self.one_step else sampling.num_inference_steps
        for start in range(0, len(texts), MOST_AT_ONCE):
            part = slice(start, start + MOST_AT_ONCE)
            told = _Told(self.pipeline, progress, steps, made)
            latents = self.pipeline(
                prompt=list(texts[part]),
                height=self.image_size,
                width=self.image_size,
                num_inference_steps=steps,
                guidance_scale=0.0 if self.one_step else sampling.guidance_scale,
                generator=[seeded(seed) for seed in seeds[part]],
                output_type="latent",
                callback_on_step_end=told,
            ).images
            made.append(_decoded(self.pipeline, latents))
            if told.stopped:
                break
        return torch.cat(made)


class _Told:
    """What the pipeline calls after each step: it tells how far it is, and ends it where that is wanted."""

    def __init__(self, pipeline: Any, progress: Progress | None, steps: int, made: list[Tensor]):
        self.pipeline, self.progress, self.steps, self.made = pipeline, progress, steps, made
        self.stopped = False

    def __call__(self, pipeline: Any, step: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
        if self.progress is not None:
            so_far = torch.cat([*self.made, _decoded(self.pipeline, values["latents"])])
            self.stopped = self.progress(step + 1, self.steps, so_far)
            pipeline._interrupt = self.stopped
        return values


def _decoded(pipeline: Any, latents: Tensor) -> Tensor:
    scale = pipeline.vae.config.scaling_factor
    return as_bytes(pipeline.vae.decode(latents / scale).sample)


def load_stable_diffusion(
    entry: CatalogEntry, progress: Callable[[int, int], None] | None = None
) -> StableDiffusion:
    """A pretrained text-to-image model by its entry, fetched with the small decoder if it is not here yet.

    Raises:
        InputError: something is missing, damaged, or of another kind.
        DemoError: it is neither on this machine nor can the Hub be reached.
    """
    return StableDiffusion(entry, hub.fetch(entry, progress), hub.fetch(SMALL_DECODER, progress))
