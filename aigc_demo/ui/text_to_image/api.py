"""The tab Text to image for programs: images come and go as PNG files in base64.

from gradio_client import Client
answer = Client("http://127.0.0.1:7860").predict("a red ball", seed=1, api_name="/text_to_image")
"""

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

import gradio as gr

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.strict_json import Json
from aigc_demo.generators.kinds import ATTRIBUTE_READER, TEXT_TO_IMAGE
from aigc_demo.generators.shipped import TINY_WORLD_READER
from aigc_demo.studio.images.formats import single_pngs
from aigc_demo.studio.images.real_images import png_images
from aigc_demo.studio.models.cancellation import Cancellation
from aigc_demo.studio.models.catalog import default_pair
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.text.compare import new_seed
from aigc_demo.studio.text_to_image import retrieval
from aigc_demo.studio.text_to_image.compare import (
    TextToImageColumn,
    check_text_to_image,
    checked_caption,
    compare_text_to_image,
    read_by_checker,
)
from aigc_demo.ui.frame import IMAGES
from aigc_demo.ui.image_api import decoded, streamed
from aigc_demo.ui.tabs import Studio
from aigc_demo.ui.widgets import errors_as_toasts

if TYPE_CHECKING:
    from aigc_demo.measure.attributes import Found, Verdict


def add_text_to_image_api(studio: Studio) -> None:
    """Add the endpoints to the page that is being built."""
    api = TextToImageApi(studio.cache, studio.cancellation)
    for endpoint in (api.text_to_image, api.rank, api.check_attributes, api.retrieve):
        gr.api(endpoint, api_name=endpoint.__name__, **IMAGES)


class TextToImageApi:
    """The endpoints; their docstrings are what the API's page shows."""

    def __init__(self, cache: ModelCache, cancellation: Cancellation):
        self._cache, self._catalog, self._cancellation = cache, cache.catalog, cancellation

    def text_to_image(
        self,
        request: gr.Request,
        caption: str,
        models: list[str] | None = None,
        seed: int | None = None,
        num_candidates: int = 8,
        guidance_scale: float = 2.0,
        num_inference_steps: int = 20,
        scheduler: str = "ddim",
        truncation: float = 1.0,
    ) -> Iterator[Json]:
        """Generate images of a caption with one to four models at the same time, streaming their progress.

        Each answer is {"ticket", "seed", "caption", "other", "columns": [{"model", "state", "seeds",
        "images", "scores", "other_scores", "order", "verdicts", "seconds", ...}]}. `images` are PNG files in
        base64 in the order of the seeds, in the last answer alone; `order` has the one that fits best first;
        `other_scores` are those of `other`, a caption to compare with. Who gives `ticket` to stop_text ends
        the work.

        Args:
            caption: at most 300 characters, English or Chinese, such as "a red ball left of a blue box".
            models: one to four names of models that draw captions; null for ours and its baseline.
            seed: of the first candidate, the others have the next ones; null for a new one.
            num_candidates: 1 to 16 of each model, ranked by a dual encoder.
            guidance_scale: 0 to 30, for diffusion: classifier-free guidance, 1 for none.
            num_inference_steps: 1 to 100, for diffusion.
            scheduler: ddim, ddpm, dpm or euler, for diffusion.
            truncation: 0 to 1.5, for ours.
        """
        settings = {
            "seed": new_seed() if seed is None else seed,
            "num_candidates": num_candidates,
            "guidance_scale": guidance_scale,
            "num_inference_steps": num_inference_steps,
            "scheduler": scheduler,
            "truncation": truncation,
        }
        with errors_as_toasts(request):
            choices = self._catalog.choices(TEXT_TO_IMAGE)
            named = list(default_pair(choices)) if models is None and choices else models
            asked = check_text_to_image(self._catalog, named, caption, settings)
            question = {"seed": asked.ask.seed, "caption": asked.caption, "other": asked.other}
            work = streamed(
                request,
                self._cancellation,
                lambda stop: compare_text_to_image(asked, self._cache, stop),
                _candidates,
            )
            for answer in work:
                yield {**answer, **question}

    def rank(
        self, request: gr.Request, texts: list[str], images: list[str], model: str | None = None
    ) -> Json:
        """Image-text similarity: the cosine similarity of each image and each text, by a dual encoder.

        The answer is {"model", "scores": a row of numbers from -1 to 1 for each text, "order": for each text
        the places of the images, the one that fits best first}.

        Args:
            texts: 1 to 32 captions.
            images: 1 to 64 PNG files in base64; their middle squares are resized to the dual encoder's size.
            model: the name of a dual encoder; null for the first of the catalog.
        """
        with errors_as_toasts(request):
            captions = retrieval.checked_captions(texts)
            name = retrieval.default_matcher(self._catalog) if model is None else model
            size = retrieval.dual_encoder_named(self._cache, name).image_size
            given = png_images(decoded(images), size)
            scores = retrieval.score_table(self._cache, captions, given, name)
            order = [sorted(range(len(row)), key=lambda place, r=row: -r[place]) for row in scores]  # type: ignore[misc]
            return {"model": name, "scores": scores, "order": order}

    def check_attributes(
        self, request: gr.Request, images: list[str], caption: str | None = None
    ) -> list[Json]:
        """What the checker reads on images of the tiny world, and whether it is what a caption says.

        Each answer is {"applicable", "things": [{"kind", "colour", "size", "x", "y"}], "weather",
        "confidence", "all_right", "verdict"}; one that is not of the tiny world is {"applicable": false}.

        Args:
            images: 1 to 64 PNG files in base64.
            caption: of all of them; null to read alone.
        """
        from aigc_demo.data.tiny_world.caption import parse_caption
        from aigc_demo.measure.attributes import verdict

        with errors_as_toasts(request):
            group = None if caption is None else parse_caption(checked_caption(caption)).group
            if caption is not None and group is None:
                raise InputError("caption_not_understood")
            sizes = [choice.entry.image_size for choice in self._catalog.choices(ATTRIBUTE_READER)]
            if not sizes:
                raise InputError("unknown_model", name=TINY_WORLD_READER)
            found = read_by_checker(self._cache, png_images(decoded(images), sizes[0]))
            return [
                _reading(one, verdict(group, one) if one is not None and group is not None else None)
                for one in found or ()
            ]

    def retrieve(
        self,
        request: gr.Request,
        text: str | None = None,
        image: str | None = None,
        num: int = 8,
        model: str | None = None,
    ) -> Json:
        """Search a hundred images and their captions by a text or by an image.

        The answer is {"by": "text" or "image", "hits": [{"score", "caption", "image"}]}, the best first.

        Args:
            text: a caption to search by; null to search by an image.
            image: a PNG file in base64 to search by; null to search by a text.
            num: how many are wanted, 1 to 12.
            model: the name of a dual encoder; null for the first of the catalog.
        """
        with errors_as_toasts(request):
            if (text is None) == (image is None):
                raise InputError("text_or_image")
            library = retrieval.library_for(self._cache, model)
            if text is not None:
                hits = retrieval.find_images(self._cache, text, num, model)
            else:
                size = retrieval.dual_encoder_named(self._cache, model).image_size
                given = png_images(decoded([image]), size)[0]
                hits = retrieval.find_texts(self._cache, given, num, model)
            images = single_pngs(library.images[[hit.place for hit in hits]])
            return {
                "by": "image" if text is None else "text",
                "hits": [
                    {
                        "score": hit.score,
                        "caption": library.captions[hit.place],
                        "image": base64.b64encode(png).decode("ascii"),
                    }
                    for hit, png in zip(hits, images, strict=True)
                ],
            }


def _candidates(column: TextToImageColumn) -> Json:
    images = [] if column.images is None else single_pngs(column.images)
    return {
        "images": [base64.b64encode(image).decode("ascii") for image in images],
        "order": list(column.order),
        "other_scores": None if column.other_scores is None else list(column.other_scores),
        "verdicts": None if column.verdicts is None else [verdict_json(one) for one in column.verdicts],
    }


def _reading(found: "Found | None", verdict: "Verdict | None") -> Json:
    if found is None:
        return {"applicable": False}
    return {
        "applicable": True,
        "things": [
            {"kind": thing.kind, "colour": thing.colour, "size": thing.size, "x": x, "y": y}
            for (x, y), thing in found.things.items()
        ],
        "weather": found.weather,
        "confidence": found.confidence,
        "all_right": None if verdict is None else verdict.all_right,
        "verdict": None if verdict is None else verdict_json(verdict),
    }


def verdict_json(verdict: "Verdict") -> Json:
    """What of a caption is right on an image, as plain data."""
    return {
        "all_right": verdict.all_right,
        "weather": verdict.weather,
        "num_more": verdict.num_more,
        "things": [
            {
                "wanted": {name: getattr(thing.wanted, name) for name in ("kind", "colour", "size")},
                **{name: getattr(thing, name) for name in ("kind", "colour", "size", "place")},
            }
            for thing in verdict.things
        ],
    }
