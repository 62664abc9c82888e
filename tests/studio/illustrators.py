"""Models of captions whose images are known ahead, and tiny networks with random weights."""

import torch

from aigc_demo.data.captions.pairs import caption_tokenizer
from aigc_demo.data.tiny_world.caption import parse_caption
from aigc_demo.data.tiny_world.image import render
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.text_to_image.matching import Matcher
from aigc_demo.generators.text_to_image.ours import GanTextToImage
from aigc_demo.generators.text_to_image.restoration import ImageRestoration
from aigc_demo.nets.images.restoration import RestorationConfig, RestorationNetwork
from aigc_demo.nets.text_to_image.conditional_gan import (
    ConditionalConfig,
    ConditionalDiscriminator,
    ConditionalGenerator,
)
from aigc_demo.nets.text_to_image.contrastive import DualEncoder, DualEncoderConfig

SIDE = 32
WORDS = "a small big red ball blue box to the left of above star green 一个红色的小球在蓝大方块左边"


def entry(name, kind="text-to-image", recipe="text2image", family="ours", **facts):
    return CatalogEntry(name, family, kind, recipe, "nowhere", image_size=SIDE, **facts)


def rendered(caption):
    """What the tiny world draws of a caption, uint8 [C, H, W]."""
    image = render(parse_caption(caption).group, SIDE)
    return (
        torch.tensor(bytearray(image.tobytes()), dtype=torch.uint8)
        .unflatten(0, (SIDE, SIDE, 3))
        .permute(2, 0, 1)
    )


class Painter:
    """Draws every caption rightly where the seed is even; a red ball where it is odd."""

    family, image_size, memory_mib, num_parameters = "ours", SIDE, 3.0, 10

    def __init__(self, name="painter", matcher=None):
        self.name, self.asked = name, []
        if matcher is not None:
            self.matcher = matcher

    def knows(self, text):
        return parse_caption(text).num_unknown < len(parse_caption(text).words)

    def make(self, texts, seeds, sampling, progress=None):
        self.asked.append((tuple(texts), tuple(seeds), sampling))
        pairs = zip(texts, seeds, strict=True)
        return torch.stack([rendered("a red ball" if seed % 2 else text) for text, seed in pairs])


class Steps:
    """Grey 10 times the step, in as many steps as it is told."""

    family, image_size, memory_mib, num_parameters = "library", SIDE, 5.0, 20

    def __init__(self, name="steps", stop_at=None, event=None):
        self.name, self.stop_at, self.event = name, stop_at, event

    def make(self, texts, seeds, sampling, progress=None):
        guess = torch.zeros(len(texts), 3, SIDE, SIDE, dtype=torch.uint8)
        for step in range(1, sampling.num_inference_steps + 1):
            guess = torch.full_like(guess, 10 * step % 256)
            if step == self.stop_at:
                self.event.set()
            if progress is not None and progress(step, sampling.num_inference_steps, guess):
                break
        return guess


def tiny_matcher():
    """A dual encoder of random weights that knows the words of two captions."""
    torch.manual_seed(0)
    tokenizer = caption_tokenizer([(WORDS, WORDS)])
    shape = DualEncoderConfig(
        vocab_size=tokenizer.vocab_size,
        num_layers=1,
        num_heads=2,
        hidden_size=16,
        image_size=SIDE,
        width=8,
        embedding_size=16,
    )
    return Matcher(DualEncoder(shape), tokenizer)


def tiny_text_gan(name="ours"):
    """Our three networks with random weights."""
    torch.manual_seed(0)
    shape = ConditionalConfig(
        image_size=SIDE,
        latent_size=8,
        token_size=16,
        text_size=16,
        hidden_size=16,
        num_layers=2,
        num_heads=2,
        num_features=8,
    )
    generator = ConditionalGenerator(shape)
    for weight in generator.parameters():  # untrained, its blocks would add nothing, and words say nothing
        torch.nn.init.normal_(weight, std=0.3)
    return GanTextToImage(name, generator, ConditionalDiscriminator(shape), tiny_matcher())


def tiny_restoration(recipe):
    """A restoration network of random weights."""
    torch.manual_seed(0)
    return ImageRestoration(RestorationNetwork(RestorationConfig(image_size=SIDE, width=4, recipe=recipe)))


def of_the_page():
    """What a page with all of this loads, by name."""
    ours = tiny_text_gan("text2image-tiny-world")
    restorations = {f"{recipe}-tiny-world": tiny_restoration(recipe) for recipe in ("colorize", "inpaint")}
    steps = Steps("text2image-diffusion-tiny-world")
    return {ours.name: ours, steps.name: steps, "clip-tiny-world": tiny_matcher(), **restorations}
