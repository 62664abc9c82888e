"""How long 64 images take: a GAN's one pass against a diffusion model's many.

The diffusion model is given as few steps as it needs: the fewest of those tried whose Frechet distance to all
real images is within 5 % of its own at 100 steps. Both make 64 images from the same seeds, in turn.

    python benchmarks/image_generation.py [--ours dcgan-tiny-world] [--peer ddpm-tiny-world]
        [--data tiny-world] [--samples 2000] [--pairs 5] [--json]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # it runs from the clone, nothing is installed

import argparse
from collections.abc import Callable
from typing import Any

from torch import Tensor

from aigc_demo.core.device import set_threads
from aigc_demo.data.images.corpus import ImageSettings, prepare_images
from aigc_demo.generators.images.loading import load_encoder, load_image_model
from aigc_demo.generators.images.model import ImageModel, ImageSampling
from aigc_demo.measure.image_distances import frechet_distance
from aigc_demo.measure.images import encode
from aigc_demo.studio.evaluate.images import encoder_for, real_images
from benchmarks.measuring import paired, report

MOST_STEPS = 100
FEWER_STEPS = (2, 3, 5, 8, 12, 20, 35, 60)
WITHIN = 1.05
NUM_IMAGES = 64


def main() -> None:
    """Find the steps, then measure the pair."""
    options = _options()
    set_threads()
    ours, peer = load_image_model(options.ours), load_image_model(options.peer)
    corpus = prepare_images(options.data, ImageSettings(image_size=ours.image_size))
    encoder = load_encoder(encoder_for(corpus, ours.image_size))
    real_NF, _ = encode(encoder, real_images(corpus))

    def distance(model: ImageModel, num_steps: int) -> float:
        return frechet_distance(real_NF, encode(encoder, _generate(model, options.samples, num_steps))[0])

    by_steps = {MOST_STEPS: distance(peer, MOST_STEPS)}
    needed = MOST_STEPS
    for num_steps in FEWER_STEPS:
        by_steps[num_steps] = distance(peer, num_steps)
        if by_steps[num_steps] <= WITHIN * by_steps[MOST_STEPS]:
            needed = num_steps
            break
    times = paired(_making(ours, needed), _making(peer, needed), options.pairs)
    counts = {"num_samples": options.samples, "num_real": len(real_NF)}
    report(
        f"Frechet distance of {options.peer} by its steps",
        [{"steps": steps, "frechet_distance": found} for steps, found in sorted(by_steps.items())],
    )
    row: dict[str, Any] = {
        "ours": options.ours,
        "peer": f"{options.peer}, {needed} steps",
        "parameters": _num_parameters(ours),
        "peer_parameters": _num_parameters(peer),
        "frechet_distance": distance(ours, needed),
        "peer_frechet_distance": by_steps[needed],
        **counts,
        **times,
    }
    report(f"{NUM_IMAGES} pictures", [row])


def _generate(model: ImageModel, num_images: int, num_steps: int) -> Tensor:
    return model.make(range(num_images), ImageSampling(num_inference_steps=num_steps))


def _making(model: ImageModel, num_steps: int) -> Callable[[], Tensor]:
    return lambda: _generate(model, NUM_IMAGES, num_steps)


def _num_parameters(model: Any) -> int:
    return int(model.num_parameters)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--ours", default="dcgan-tiny-world")
    parser.add_argument("--peer", default="ddpm-tiny-world")
    parser.add_argument("--data", default="tiny-world")
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one object a line")
    return parser.parse_args()


if __name__ == "__main__":
    main()
