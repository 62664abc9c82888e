"""The models that this project trained and ships, as data: one row each, with what it was trained on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingData:
    """What a shipped model was trained on.

    Attributes:
        title: in a few words.
        sha256: of its file.
        languages: of its texts.
        labelled: whether each image has a label, so that an encoder learned these classes and no others.
    """

    title: str
    sha256: str
    languages: tuple[str, ...] = ()
    labelled: bool = False


SHAKESPEARE = TrainingData(
    "Shakespeare's plays (tinyshakespeare, 1.1 million characters, first 90 %)",
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    ("English",),
)
TANG_POEMS = TrainingData(
    "poems of the Tang dynasty (first 90 %)",
    "5592b7cbb6ed2118719bf4f8068119d499b0991f35838bd83e309808cd034ac3",
    ("Chinese",),
)
TINY_STORIES = TrainingData(
    "20,000 stories of the tiny world (first 90 %)",
    "a8b47081155cb8cf9a821017c149142f4cfdb8e9f38737e2442b66f5ed8c9866",
    ("English",),
)
TINY_IMAGES = TrainingData(
    "20,000 drawings of the tiny world, one shape each",
    "af8535e58cee82ff7f1050415e41fd45e7fdc74733ff40880dbf3b05e6c29b8c",
    labelled=True,
)
EMOJI = TrainingData(
    "Noto Emoji, 1,647 images (Apache-2.0)",
    "f4de8aa68497ad7726880fd37a9f78253188712791783d99a65562984262e298",
)
# The same with their names, nothing held out.
EMOJI_PAIRS = TrainingData(
    "Noto Emoji, 1,647 images with their names (Apache-2.0)",
    "8682d062014d766d60bb26c4161647f1f6e70f1ae9e0db74aaacec3bc2319422",
    ("English",),
)
TINY_PAIRS = TrainingData(
    "20,000 drawings of the tiny world, one to three things, with captions",
    "64de9b91baff4ad4ff2c8334641738b036dac9648307c5fa495a8276d276ea1d",
    ("English", "Chinese"),
)
TINY_GROUPS = TrainingData(
    "20,000 drawings of the tiny world, one to three things",
    "9d9a917f1d3f625fd580c9099ae421a18d926c93c779c3debcf17cd9adb66e62",
)
# The same drawings as they are read without their attributes.
TINY_GROUP_IMAGES = TrainingData(
    TINY_GROUPS.title, "dae9f58cc2a977654297bf2b4120b0ae0bfd542ee67dead6232601a8f19046fb"
)

# The networks that encode captions and images of the tiny world, and that read its images.
TINY_WORLD_DUAL_ENCODER, TINY_WORLD_READER = "clip-tiny-world", "checker-tiny-world"

SHIPPED: dict[str, TrainingData] = {
    "gpt-shakespeare": SHAKESPEARE,
    "gpt-tang": TANG_POEMS,
    "gpt2-shakespeare": SHAKESPEARE,
    "gpt2-tang": TANG_POEMS,
    "gpt-tiny-world": TINY_STORIES,
    "gpt2-tiny-world": TINY_STORIES,
    "dcgan-tiny-world": TINY_IMAGES,
    "ddpm-tiny-world": TINY_IMAGES,
    "classifier-tiny-world": TINY_IMAGES,
    "classifier-emoji": EMOJI,
    "dcgan-emoji": EMOJI,
    "ddpm-emoji": EMOJI,
    "text2image-tiny-world": TINY_PAIRS,
    "text2image-diffusion-tiny-world": TINY_PAIRS,
    TINY_WORLD_DUAL_ENCODER: TINY_PAIRS,
    "clip-emoji": EMOJI_PAIRS,
    "text2image-emoji": EMOJI_PAIRS,
    TINY_WORLD_READER: TINY_GROUPS,
    "colorize-tiny-world": TINY_GROUP_IMAGES,
    "inpaint-tiny-world": TINY_GROUP_IMAGES,
}

STARTED_FROM: dict[str, str] = {}
"""For each shipped model whose training started from another one, that one."""
