"""How long one image of a caption takes: our one pass against a diffusion model's many, batch 1.

The diffusion model is given as few steps as it needs: the fewest of those tried with which it draws as many
captions rightly as with its best number, less two in a hundred. A caption counts where the checker finds
everything right.

    python benchmarks/text_to_image.py [--ours text2image-tiny-world] [--peer text2image-diffusion-tiny-world]
        [--captions 200] [--pairs 20] [--steps 20] [--json]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # it runs from the clone, nothing is installed

import argparse
from collections.abc import Callable
from typing import Any

from torch import Tensor

from aigc_demo.core.device import set_threads
from aigc_demo.generators.text_to_image.matching import load_reader
from aigc_demo.generators.text_to_image.model import TextSampling, TextToImageModel
from aigc_demo.generators.text_to_image.ours import load_text_to_image
from aigc_demo.measure.attributes import verdicts
from aigc_demo.studio.evaluate.text_to_image import asked
from benchmarks.measuring import paired, report

STEPS = (2, 3, 5, 8, 12, 20, 35, 60)
WITHIN = 0.02


def main() -> None:
    """Find the steps, then measure the pair."""
    options = _options()
    set_threads()
    ours, peer = load_text_to_image(options.ours), load_text_to_image(options.peer)
    reader = load_reader(options.checker)
    wanted, captions = asked(1, "en", options.captions)

    def right(model: TextToImageModel, num_steps: int) -> float:
        images = model.make(captions, range(len(captions)), TextSampling(num_inference_steps=num_steps))
        return sum(one.all_right for one in verdicts(reader, images, wanted)) / len(wanted)

    tried = STEPS if options.steps is None else (options.steps,)
    by_steps = {num_steps: right(peer, num_steps) for num_steps in tried}
    best = max(by_steps.values())
    needed = next(steps for steps, share in by_steps.items() if share >= best - WITHIN)
    times = paired(_making(ours, captions[0], needed), _making(peer, captions[0], needed), options.pairs)
    rows = [{"steps": steps, "all_right": share} for steps, share in by_steps.items()]
    report(f"captions of one thing drawn rightly by {options.peer}, by its steps", rows)
    row: dict[str, Any] = {
        "ours": options.ours,
        "peer": f"{options.peer}, {needed} steps",
        "parameters": ours.num_parameters,
        "peer_parameters": peer.num_parameters,
        "all_right": right(ours, needed),
        "peer_all_right": by_steps[needed],
        "num_captions": len(captions),
        **times,
    }
    report("one image, batch 1", [row])


def _making(model: TextToImageModel, caption: str, num_steps: int) -> Callable[[], Tensor]:
    return lambda: model.make([caption], [0], TextSampling(num_inference_steps=num_steps))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--ours", default="text2image-tiny-world")
    parser.add_argument("--peer", default="text2image-diffusion-tiny-world")
    parser.add_argument("--checker", default="checker-tiny-world")
    parser.add_argument("--captions", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--steps", type=int, help="of the diffusion model, in place of those that it needs")
    parser.add_argument("--json", action="store_true", help="one object a line")
    return parser.parse_args()


if __name__ == "__main__":
    main()
