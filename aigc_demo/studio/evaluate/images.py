"""How good is a model of images: are all kinds there, are they like the real ones, are they copies?"""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aigc_demo.core.errors import InputError
from aigc_demo.generators.kinds import IMAGE_ENCODER

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_demo.data.images.corpus import ImageCorpus
    from aigc_demo.generators.catalog_entry import CatalogEntry
    from aigc_demo.measure.images import ImageFigures
    from aigc_demo.measure.modes import ModeFigures

FEWEST_SAMPLES, USUAL_SAMPLES = 200, 5000
# Real images that distances are measured against; all of a small source, the first of a large one.
MOST_REAL = 20_000
NEAREST_SHOWN = 64
# After such changes an image is to be known again.
AGAIN: dict[str, Any] = {"crop": 0.15, "flip": True, "colour": 0.3}


def evaluate_image_model(
    entry: "CatalogEntry",
    source: str,
    split: str = "all",
    *,
    settings: Mapping[str, Any] | None = None,
    samples: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure a model that makes images against real ones.

    Args:
        entry: of the model.
        source: of the real images.
        split: all real images, or those that are held out.
        settings: of the preparation and of the sampling; `encoder` names the network that looks at the
            images, in place of the one that was trained on such images.
        samples: how many images it is to make; 0 for 5,000.
        seed: of the first one; the others have the next ones.

    Returns:
        `split`, `encoder`, `num_samples` and `num_real`, `frechet_distance`, `precision`,
        `recall`; where the encoder names modes `mode_coverage`, `num_modes`, `modes_covered`, `evenness`,
        `sure_share`, `readable_share`, `verdict` (`ImageFigures`), `collapsed`, and the coverage of real
        images as `real_mode_coverage`;
        `inception_frechet_distance` where the environment names Inception's weights (`measure/inception`);
        `median_nearest_distance`, in grey levels, from generated images to the nearest real one;
        `seconds_to_generate`.

    Raises:
        DemoError: the model, the source or an encoder cannot be had, or there are too few images.
    """
    from aigc_demo.core.device import set_threads
    from aigc_demo.data.images.corpus import ImageSettings, prepare_images
    from aigc_demo.generators.images.loading import load_encoder, load_image_model
    from aigc_demo.generators.images.model import ImageSampling
    from aigc_demo.measure.image_distances import frechet_distance, nearest
    from aigc_demo.measure.inception import inception_features, inception_path

    samples = samples or USUAL_SAMPLES
    if samples < FEWEST_SAMPLES:
        raise InputError("setting_range", name="samples", expected=f"at least {FEWEST_SAMPLES}", got=samples)
    given = dict(settings or {})
    encoder_name = str(given.pop("encoder", "") or "")
    sampling = ImageSampling.from_mapping(ImageSampling.among(given))
    set_threads()
    maker = load_image_model(entry)
    preparation = ImageSettings.from_mapping({"image_size": maker.image_size, **_rest(sampling, given)})
    corpus = prepare_images(source, preparation)
    encoder_name = encoder_name or encoder_for(corpus, maker.image_size)
    encoder = load_encoder(encoder_name)
    began = time.perf_counter()
    generated_images = maker.make(range(seed, seed + samples), sampling)
    generated = time.perf_counter() - began
    real = real_images(corpus, split)
    found, of_real = compared(real, generated_images, encoder)
    _, distance = nearest(generated_images[:NEAREST_SHOWN], real)
    figures = {
        "split": split,
        "encoder": encoder_name,
        "num_samples": found.num_generated,
        "num_real": found.num_real,
        "frechet_distance": round(found.frechet_distance, 4),
        "precision": round(found.precision, 4),
        "recall": round(found.recall, 4),
        "median_nearest_distance": round(float(distance.median()), 2),
    }
    if found.modes is not None and of_real is not None:
        modes = found.modes
        figures |= {
            "mode_coverage": round(modes.coverage, 4),
            "num_modes": modes.num_modes,
            "modes_covered": modes.num_covered,
            "evenness": round(modes.evenness, 4),
            "sure_share": round(modes.sure_share, 4),
            "readable_share": round(found.readable_share, 4),
            "verdict": found.verdict,
            "collapsed": found.verdict == "collapsed",
            "real_mode_coverage": round(of_real.coverage, 4),
        }
    if inception := inception_path():
        features = [inception_features(inception, images) for images in (real, generated_images)]
        figures["inception_frechet_distance"] = round(frechet_distance(*features), 4)
    return {
        **figures,
        "seconds_to_generate": round(generated, 3),
    }


def compared(
    real: "Tensor", generated_images: "Tensor", encoder: Any
) -> "tuple[ImageFigures, ModeFigures | None]":
    """Generated images against real ones, as an encoder sees both.

    Args:
        real: uint8 [N, C, H, W].
        generated_images: uint8 [M, C, H, W].
        encoder: the network that looks at them.

    Returns:
        The figures of the generated; and how as many real ones spread over the modes, where the encoder
        names any.
    """
    from aigc_demo.measure.images import encode, image_figures
    from aigc_demo.measure.modes import mode_figures

    real_features, real_probs = encode(encoder, real)
    generated_features, generated_probs = encode(encoder, generated_images)
    found = image_figures(real_features, generated_features, generated_probs)
    if real_probs is None:
        return found, None
    return found, mode_figures(real_probs[: len(generated_images)], num_modes=real_probs.shape[1])


def evaluate_encoder(
    entry: "CatalogEntry",
    source: str,
    split: str = "validation",
    *,
    settings: Mapping[str, Any] | None = None,
    samples: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure a network that looks at images, on those that are held out.

    Args:
        entry: of the network.
        source: of the images.
        split: without effect, as `samples`: all that are held out are looked at.
        settings: of the preparation.
        samples: see `split`.
        seed: of the augmentations.

    Returns:
        `num_samples`; `accuracy` where it names kinds and the source has them, else
        `top1`: the share of changed images whose nearest neighbour, among all that are held out, is the
        image that they were augmented from.

    Raises:
        DemoError: model or source cannot be had, or nothing is held out.
    """
    import torch

    from aigc_demo.core.device import seeded, set_threads
    from aigc_demo.data.images.corpus import ImageSettings, augment, prepare_images
    from aigc_demo.generators.images.loading import load_encoder
    from aigc_demo.measure.images import encode

    set_threads()
    encoder = load_encoder(entry.location)
    preparation = ImageSettings.from_mapping({"image_size": encoder.config.image_size, **(settings or {})})
    corpus = prepare_images(source, preparation)
    images = real_images(corpus, "validation", fewest=2)
    features, probs = encode(encoder, images)
    if probs is not None and corpus.validation_labels is not None and probs.shape[1] == corpus.num_modes:
        labels = corpus.validation_labels[: len(images)]
        figures = {"accuracy": (probs.argmax(1) == labels).float().mean().item()}
    else:
        changed, _ = encode(encoder, augment(images, replace(preparation, **AGAIN), seeded(seed)))
        found = torch.nn.functional.normalize(changed) @ torch.nn.functional.normalize(features).T
        figures = {"top1": (found.argmax(1) == torch.arange(len(images))).float().mean().item()}
    return {
        "num_samples": len(images),
        **{name: round(value, 4) for name, value in figures.items()},
    }


def real_images(corpus: "ImageCorpus", split: str = "all", *, fewest: int = FEWEST_SAMPLES) -> Any:
    """Images that generated ones are compared with: uint8 [N, C, H, W].

    Raises:
        InputError: nothing is held out, or there are too few.
    """
    import torch

    parts = [corpus.validation] if split == "validation" else [corpus.train, corpus.validation]
    images = torch.cat(parts)[:MOST_REAL]
    if len(images) < fewest:
        raise InputError("too_few_pictures", name=corpus.name, got=len(images), needed=fewest)
    return images


def encoder_for(corpus: "ImageCorpus", image_size: int) -> str:
    """The network that looks at images of this kind: one that was trained on them, frozen since.

    Raises:
        InputError: there is none for images of this size.
    """
    from aigc_demo.generators.catalog import listed
    from aigc_demo.generators.shipped import SHIPPED

    entries = [entry for entry in listed().values() if entry.kind == IMAGE_ENCODER]
    entries = [entry for entry in entries if entry.image_size == image_size]
    same = [entry.name for entry in entries if entry.data_sha256 == corpus.sha256]
    # What learned without labels looks at any image; what learned shapes by name sees only those.
    labelled = {name for name, data in SHIPPED.items() if data.labelled}
    general = [entry.name for entry in entries if entry.name not in labelled]
    if not same and not general:
        raise InputError("no_encoder", size=image_size)
    return (same or general)[0]


def _rest(known: Any, given: Mapping[str, Any]) -> "dict[str, Any]":
    """The settings that do not belong to the class of these."""
    taken = known.among(given)
    return {name: value for name, value in given.items() if name not in taken}
