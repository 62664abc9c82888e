"""Images per second in training: our loop against the same two networks in a plain one.

The paper's DCGAN of 64 pixels: 64 feature maps, batch 64, 3.6 + 2.8 million parameters. The peer is the loop
of the well-known example: float32, contiguous, binary cross entropy on probabilities, Adam, gradients of the
discriminator's weights computed in the generator's step and thrown away. Ours is the recipe `dcgan` as the
command line runs it, from event to event.

    python benchmarks/image_training.py [--steps 6] [--pairs 5] [--json]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # it runs from the clone, nothing is installed

import tempfile
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from aigc_demo.core.device import set_threads
from aigc_demo.core.events import StepDone
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.images.corpus import ImageCorpus, prepare_images
from aigc_demo.data.images.pixels import to_float
from aigc_demo.nets.images.dcgan import initialize
from aigc_demo.training.gan.networks import networks
from aigc_demo.training.gan.recipe import GanSettings
from aigc_demo.training.gan.training import GanTraining
from aigc_demo.training.settings import Budget
from benchmarks.measuring import paired, report

SETTINGS = GanSettings(
    image_size=64, batch_size=64, num_pictures=1000, validate_every=10**9, checkpoint_every=10**9
)


def main() -> None:
    """Measure the one pair."""
    set_threads()
    num_steps, pairs = _number("--steps", 6), _number("--pairs", 5)
    corpus = prepare_images("tiny-world", SETTINGS)
    ours, peer = our_steps(corpus), peer_steps(corpus)
    times = paired(lambda: ours(num_steps), lambda: peer(num_steps), pairs)
    images = num_steps * SETTINGS.batch_size
    row: dict[str, Any] = {
        "networks": "DCGAN of 64 pixels",
        "ours": images / times["ours_seconds"],
        "peer": images / times["peer_seconds"],
        "ratio": times["ratio"],
        "ratio_min": times["ratio_min"],
        "ratio_max": times["ratio_max"],
    }
    report("training, images per second", [row])


def our_steps(corpus: ImageCorpus) -> Callable[[int], None]:
    """Our loop, which goes on by so many steps at each call."""
    torch.manual_seed(0)
    generator, discriminator = networks("dcgan", SETTINGS)
    run = RunDirectory(tempfile.mkdtemp())
    training = GanTraining(generator, discriminator, corpus, SETTINGS, Budget(steps=10**6), run)
    events = (event for event in training.events() if isinstance(event, StepDone))

    def go_on(num_steps: int) -> None:
        for _ in range(num_steps):
            next(events)

    return go_on


def peer_generator() -> nn.Sequential:
    """From noise [B, 100, 1, 1] to images."""
    widths = (100, 512, 256, 128, 64)
    layers: list[nn.Module] = []
    for place in range(4):
        stride, padding = (1, 0) if place == 0 else (2, 1)
        layers += [
            nn.ConvTranspose2d(widths[place], widths[place + 1], 4, stride, padding, bias=False),
            nn.BatchNorm2d(widths[place + 1]),
            nn.ReLU(True),
        ]
    return nn.Sequential(*layers, nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh())


def peer_discriminator() -> nn.Sequential:
    """From images to probabilities."""
    widths = (64, 128, 256, 512)
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
    for place in range(3):
        layers += [
            nn.Conv2d(widths[place], widths[place + 1], 4, 2, 1, bias=False),
            nn.BatchNorm2d(widths[place + 1]),
            nn.LeakyReLU(0.2, inplace=True),
        ]
    return nn.Sequential(*layers, nn.Conv2d(512, 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten(0))


def peer_steps(corpus: ImageCorpus) -> Callable[[int], None]:
    """The plain loop over the same images."""
    torch.manual_seed(0)
    generator, discriminator = peer_generator(), peer_discriminator()
    for network in (generator, discriminator):
        initialize(network)
        network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    for_generator = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    for_discriminator = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    criterion, batch = nn.BCELoss(), SETTINGS.batch_size
    yes, no = torch.ones(batch), torch.zeros(batch)

    def go_on(num_steps: int) -> None:
        for _ in range(num_steps):
            real = to_float(corpus.train[torch.randint(len(corpus.train), (batch,))])
            discriminator.zero_grad()
            loss_real = criterion(discriminator(real), yes)
            loss_real.backward()
            fake = generator(torch.randn(batch, 100, 1, 1))
            loss_fake = criterion(discriminator(fake.detach()), no)
            loss_fake.backward()
            for_discriminator.step()
            generator.zero_grad()
            loss = criterion(discriminator(fake), yes)
            loss.backward()
            for_generator.step()
            loss.item()  # a loop that shows its losses waits for them

    return go_on


def _number(name: str, usual: int) -> int:
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else usual


if __name__ == "__main__":
    main()
