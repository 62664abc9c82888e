"""Models of images: fakes whose every image is known ahead, and tiny networks as they lie on a disk."""

import json
import time
from types import SimpleNamespace

import torch
from torch import nn

from aigc_demo.core.device import seeded
from aigc_demo.data.images.pixels import to_uint8
from aigc_demo.data.tiny_world.image import render, thing_of
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.trained_folder import folder_entry
from aigc_demo.studio.models.cancellation import CancelToken

SIDE = 32


def entry(name, recipe="dcgan", kind="pictures", family="ours", location="nowhere", **facts):
    return CatalogEntry(name, family, kind, recipe, location, image_size=SIDE, **facts)


def plain(values):
    """One image of a single grey for each value."""
    return torch.tensor(values, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, SIDE, SIDE).clone()


class GreyGan:
    """Seed 7 is an image of grey 7; the discriminator believes in light."""

    family, image_size, latent_size, memory_mib, num_parameters = "ours", SIDE, 4, 3.0, 10
    has_styles = False

    def __init__(self, name="grey", breaks=False):
        self.name, self.breaks, self.asked = name, breaks, []

    def make(self, seeds, sampling, progress=None):
        if self.breaks:
            raise RuntimeError("no paint")
        self.asked.append((tuple(seeds), sampling))
        return plain([seed % 256 for seed in seeds])

    def discriminate(self, images):
        return images[:, 0, 0, 0] / 255


class GreySteps:
    """Grey 10 times the step; after `stop_at` steps somebody presses Stop."""

    family, image_size, memory_mib, num_parameters = "library", SIDE, 5.0, 20

    def __init__(self, stop_at=None):
        self.name, self.stop_at, self.event = "steps", stop_at, CancelToken()

    def make(self, seeds, sampling, progress=None):
        guess = plain([0] * len(seeds))
        for step in range(1, sampling.num_inference_steps + 1):
            guess = plain([10 * step] * len(seeds))
            if step == self.stop_at:
                self.event.set()
            if progress is not None and progress(step, sampling.num_inference_steps, guess):
                break
        return guess


class SlowSteps:
    """Noise that gets darker step by step, and takes its time for it.

    Args:
        name: of the model.
        seconds: for each step.
        held: as long as this file exists, each step after the third takes two seconds.
    """

    family, image_size, memory_mib, num_parameters = "library", SIDE, 5.0, 20

    def __init__(self, name, seconds=0.03, held=None):
        self.name, self.seconds, self.held = name, seconds, held

    def noise(self, seeds):
        return torch.stack([torch.randn(3, SIDE, SIDE, generator=seeded(seed)) for seed in seeds])

    def of_noise(self, noise, sampling, progress=None):
        guess = to_uint8(noise)
        for step in range(1, sampling.num_inference_steps + 1):
            waits = step > 3 and self.held is not None and self.held.exists()
            time.sleep(2.0 if waits else self.seconds)
            guess = to_uint8(noise - step / sampling.num_inference_steps)
            if progress is not None and progress(step, sampling.num_inference_steps, guess):
                break
        return guess

    def make(self, seeds, sampling, progress=None):
        return self.of_noise(self.noise(seeds), sampling, progress)


class WorldGan(GreyGan):
    """Draws the tiny world: seed by seed the next of its first modes."""

    def __init__(self, name="world", num_modes=144):
        super().__init__(name)
        self.num_modes = num_modes

    def make(self, seeds, sampling, progress=None):
        super().make(seeds, sampling)
        return world([seed % self.num_modes for seed in seeds])


def world(modes):
    """The tiny world's images of these modes, all things in the middle."""
    drawn = {mode: torch.tensor(bytearray(render(thing_of(mode), SIDE).tobytes())) for mode in set(modes)}
    return torch.stack([drawn[mode] for mode in modes]).unflatten(1, (SIDE, SIDE, 3)).permute(0, 3, 1, 2)


class Knower(nn.Module):
    """Sees 48 colours in an image and names the mode whose own 48 come nearest."""

    memory_mib, num_parameters = 1.0, 48

    def __init__(self, num_modes=144):
        super().__init__()
        self.config = SimpleNamespace(num_classes=num_modes, image_size=SIDE)
        self.known = nn.Parameter(self.features(world(list(range(num_modes))).float() / 127.5 - 1))

    def features(self, images):
        return nn.functional.adaptive_avg_pool2d(images, 4).flatten(1)

    def project(self, features):
        return -100 * torch.cdist(features, self.known).square()


def make_gan(folder, *, styles=False, seed=0, scale=1.0):
    """A GAN of random weights in a folder; small as they begin, they draw nearly the same of every noise."""
    from aigc_demo.nets.images.dcgan import DcganConfig, Discriminator, Generator
    from aigc_demo.nets.images.style_generator import StyleConfig, StyleGenerator

    torch.manual_seed(seed)
    recipe = "stylegan" if styles else "dcgan"
    if styles:
        shape = StyleConfig(latent_size=4, style_size=4, num_mapping_layers=1, width=4)
        StyleGenerator(shape).save_pretrained(folder / "generator")
    else:
        generator = Generator(DcganConfig(32, 8, 4))
        with torch.no_grad():
            for weight in generator.parameters():
                weight *= scale
        generator.save_pretrained(folder / "generator")
    config = DcganConfig(32, 8, 4, recipe, "discriminator")
    Discriminator(config).save_pretrained(folder / "discriminator")
    return folder_entry(folder, folder.name)


def make_diffusion(folder):
    """A diffusion model of random weights in a folder."""
    from diffusers import DDIMScheduler, UNet2DModel

    torch.manual_seed(0)
    unet = UNet2DModel(
        sample_size=SIDE,
        block_out_channels=(4, 8),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
    )
    unet.save_pretrained(folder / "unet")
    DDIMScheduler(timestep_spacing="trailing").save_pretrained(folder / "scheduler")
    (folder / "config.json").write_text(json.dumps({"recipe": "ddpm", "image_size": SIDE}))
    return folder_entry(folder, folder.name)
