"""The tab GAN for programs: images come and go as PNG files in base64.

from gradio_client import Client
answer = Client("http://127.0.0.1:7860").predict(seed=1, num_pictures=4, api_name="/generate_images")
"""

import base64
from collections.abc import Iterator
from typing import Any

import gradio as gr

from aigc_demo.core.files.strict_json import Json
from aigc_demo.generators.kinds import IMAGE_GENERATOR
from aigc_demo.studio.images.compare import (
    ImageColumn,
    check_images,
    compare_images,
    gan,
)
from aigc_demo.studio.images.formats import loop_webp, single_pngs
from aigc_demo.studio.images.latent_space import check_way, interpolate
from aigc_demo.studio.images.real_images import discriminate, png_images
from aigc_demo.studio.models.cancellation import Cancellation
from aigc_demo.studio.models.catalog import default_pair
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.compare import new_seed
from aigc_demo.ui.frame import IMAGES
from aigc_demo.ui.image_api import decoded, streamed
from aigc_demo.ui.tabs import Studio
from aigc_demo.ui.widgets import errors_as_toasts


def add_gan_api(studio: Studio) -> None:
    """Add the endpoints to the page that is being built."""
    api = GanApi(studio.cache, studio.cancellation)
    for endpoint in (api.generate_images, api.interpolate, api.discriminate):
        gr.api(endpoint, api_name=endpoint.__name__, **IMAGES)


class GanApi:
    """The endpoints; their docstrings are what the API's page shows."""

    def __init__(self, cache: ModelCache, cancellation: Cancellation):
        self._cache, self._catalog = cache, cache.catalog
        self._cancellation = cancellation

    def _named(self, models: list[str] | None) -> Any:
        choices = self._catalog.choices(IMAGE_GENERATOR)
        return list(default_pair(choices)) if models is None and choices else models

    def generate_images(
        self,
        request: gr.Request,
        models: list[str] | None = None,
        seed: int | None = None,
        num_pictures: int = 4,
        truncation: float = 1.0,
        num_inference_steps: int = 20,
    ) -> Iterator[Json]:
        """Generate images of the same seeds with one to four models at the same time, streaming progress.

        Each answer is {"ticket", "seed", "columns": [{"model", "state", "seeds", "images", "scores", "step",
        "num_steps", "seconds", "seconds_per_picture", "error", ...}]}. `images` are PNG files in base64, in
        the last answer alone; `scores` are those of a GAN's own discriminator, the probability that each is
        real. Who gives `ticket` to stop_text ends the work. One model's failure leaves the others alone; if
        all fail, the call fails with the first one's sentence.

        Args:
            models: one to four names of models that make images; null for ours and its baseline.
            seed: of the first image, the others have the next ones; null for a new one.
            num_pictures: of each model.
            truncation: 0 to 1.5, for GANs: below 1 the images are more alike and better.
            num_inference_steps: 1 to 100, for diffusion.
        """
        settings = {
            "seed": new_seed() if seed is None else seed,
            "num_pictures": num_pictures,
            "truncation": truncation,
            "num_inference_steps": num_inference_steps,
        }
        with errors_as_toasts(request):
            asked = check_images(self._catalog, self._named(models), settings)
            work = streamed(
                request, self._cancellation, lambda stop: compare_images(asked, self._cache, stop), _images
            )
            for answer in work:
                yield {**answer, "seed": asked.ask.seed}

    def interpolate(
        self,
        request: gr.Request,
        from_seed: int,
        to_seed: int,
        models: list[str] | None = None,
        num_frames: int = 24,
        truncation: float = 1.0,
        num_inference_steps: int = 20,
    ) -> Iterator[Json]:
        """Interpolate from one seed's noise to another's along the sphere, by one to four models, streaming.

        The answers are as those of generate_images; `images` are the frames, and `animation` is a lossless
        animated WebP in base64 that runs through them and back.

        Args:
            from_seed: the seed of the first frame.
            to_seed: the seed of the last frame.
            models: one to four names of models that make images; null for ours and its baseline.
            num_frames: 2 to 48, both ends among them.
            truncation: 0 to 1.5, for GANs.
            num_inference_steps: 1 to 100, for diffusion.
        """
        settings = {
            "from_seed": from_seed,
            "to_seed": to_seed,
            "num_frames": num_frames,
            "truncation": truncation,
            "num_inference_steps": num_inference_steps,
        }
        with errors_as_toasts(request):
            names, way = check_way(self._catalog, self._named(models), settings)
            yield from streamed(
                request, self._cancellation, lambda stop: interpolate(names, way, self._cache, stop), _film
            )

    def discriminate(self, request: gr.Request, images: list[str], model: str | None = None) -> list[float]:
        """The scores of a GAN's discriminator: the probability that each image is real, 0 to 1.

        Args:
            images: 1 to 64 PNG files in base64, at most 16 megapixels each; their middle squares are resized.
            model: the name of a GAN; null for ours.
        """
        with errors_as_toasts(request):
            network = gan(self._cache, self._named(None)[0] if model is None else model)
            given = png_images(decoded(images), network.image_size)
            return list(discriminate(self._cache, network.name, given))


def _images(column: ImageColumn) -> Json:
    images = [] if column.images is None else single_pngs(column.images)
    return {"images": [base64.b64encode(image).decode("ascii") for image in images]}


def _film(column: ImageColumn) -> Json:
    whole = column.images is not None and column.state == "finished"
    animation = base64.b64encode(loop_webp(column.images)).decode("ascii") if whole else None  # type: ignore[arg-type]
    return {**_images(column), "animation": animation}
