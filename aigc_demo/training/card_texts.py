"""What model cards say of every recipe: whose network, what it is for, how it is loaded."""

# Whose network a recipe trains, said of weights that this project ships and of those of somebody's own run.
SHIPPED = {
    "dcgan": "A DCGAN, generator and discriminator written from scratch in this project",
    "stylegan": "A style-based generator with a discriminator, written from scratch in this project",
    "classifier": "A small network that measures pictures, written from scratch in this project and frozen "
    "before any generator was trained",
    "clip": "A dual encoder, a Transformer for texts and a convolutional network for pictures, written from "
    "scratch in this project",
    "checker": "A small network that reads what stands where on a picture, written from scratch in this "
    "project; it never trains, guides or ranks what draws",
    "colorize": "A small U-Net that gives grey pictures their colours, written from scratch in this project",
    "inpaint": "A small U-Net that draws what was painted over, written from scratch in this project",
    "text2image": "A generator that draws what a caption says and a discriminator that knows the caption, "
    "with the dual encoder that reads it, written from scratch in this project",
    "ddpm": "The library baseline: diffusers' UNet2DModel and its noise, trained by this project on the same "
    "data for the same time",
    "text2image-diffusion": "The library baseline: diffusers' UNet2DConditionModel and its noise, with "
    "transformers' CLIPTextModel, trained by this project on the same captions and pictures",
    "gpt": "A decoder-only Transformer written from scratch in this project",
    "gpt2": "The library baseline: transformers' GPT2LMHeadModel, trained by this project on the same data",
}
OWN = {
    "dcgan": "A DCGAN, generator and discriminator written from scratch in AIGC Demo and trained with it",
    "stylegan": "A style-based generator with a discriminator, written from scratch in AIGC Demo and trained "
    "with it",
    "classifier": "A small network that measures pictures, written from scratch in AIGC Demo and trained "
    "with it",
    "clip": "A dual encoder, a Transformer for texts and a convolutional network for pictures, written from "
    "scratch in AIGC Demo and trained with it",
    "checker": "A small network that reads what stands where on a picture, written from scratch in AIGC Demo "
    "and trained with it",
    "colorize": "A small U-Net that gives grey pictures their colours, written from scratch in AIGC Demo and "
    "trained with it",
    "inpaint": "A small U-Net that draws what was painted over, written from scratch in AIGC Demo and "
    "trained with it",
    "text2image": "A generator that draws what a caption says and a discriminator that knows the caption, "
    "with the dual encoder that reads it, written from scratch in AIGC Demo and trained with it",
    "ddpm": "diffusers' UNet2DModel, trained with AIGC Demo",
    "text2image-diffusion": "diffusers' UNet2DConditionModel with transformers' CLIPTextModel, trained with "
    "AIGC Demo",
    "gpt": "A decoder-only Transformer, written from scratch in AIGC Demo and trained with it",
    "gpt2": "transformers' GPT2LMHeadModel, trained with AIGC Demo",
}
USE = """## What it is for

A classroom: small enough to train on a laptop and to read in an hour. It writes text that looks like its data
and knows nothing else; do not rely on anything it says."""
USE_OF_MEASURES = """## What it is for

To measure pictures of the kind that it was trained on: its features are what distances between real and
generated pictures are measured in. Figures measured with it compare with each other and with no others."""
USE_OF_PICTURES = """## What it is for

A classroom: small enough to train on a laptop and to read in an hour. It draws pictures like those it was
trained on, and nothing else."""
NO_LICENCE = """No licence is named: it is for whoever trained the model to say, as `license: ...` among the
lines at the very top of this file."""
NO_FIGURE = """## How good it is

The run recorded no figure of it: the loss of either side says how the game stands, not how good the pictures
are."""
PICTURES_LOADED = """## How to load it

```python
from pathlib import Path

import torch
from aigc_demo.generators.images.gan import load_generator

generator = load_generator(Path("FOLDER"))
with torch.inference_mode():
    pictures = generator(torch.randn(16, generator.config.latent_size))  # [16, 3, H, W] in -1 to 1
```"""
DIFFUSION_LOADED = """## How to load it

```python
from diffusers import DDIMPipeline

pictures = DDIMPipeline.from_pretrained("FOLDER")(batch_size=16, num_inference_steps=20).images
```"""
ENCODER_LOADED = """## How to load it

```python
from aigc_demo.nets.image_encoder import ImageEncoder

encoder = ImageEncoder.from_pretrained("FOLDER").float().eval()
features = encoder.features(pictures)  # of [N, 3, H, W] in -1 to 1
```"""
MATCHER_LOADED = """## How to load it

```python
from aigc_demo.generators.text_to_image.matching import load_matcher

matcher = load_matcher("FOLDER")
scores = matcher.scores(["a red ball"], pictures)  # of uint8 [N, 3, H, W]; -1 to 1, higher fits better
```"""
READER_LOADED = """## How to load it

```python
from aigc_demo.generators.text_to_image.matching import load_reader
from aigc_demo.measure.attributes import read_images

found = read_images(load_reader("FOLDER"), pictures)  # of uint8 [N, 3, H, W]
```"""
USE_OF_MATCHES = """## What it is for

A classroom: to see how texts and pictures come to lie in one space, to rank pictures by a text, and to guide
what draws. It knows the words of its captions and no others."""
USE_OF_READINGS = """## What it is for

To say of pictures of the tiny world whether they show what was asked for. It knows nothing else."""
MENDER_LOADED = """## How to load it

```python
from aigc_demo.generators.text_to_image.restoration import load_restoration

mender = load_restoration("FOLDER")
mended = mender.mended(pictures)  # uint8 [N, 3, H, W]; with a second argument for what is painted over
```"""
USE_OF_REPAIRS = """## What it is for

A classroom: to see what a network makes of what it cannot see. What it adds is likely among the pictures that
it was trained on, and nothing more."""
TEXT_TO_IMAGE_LOADED = """## How to load it

```python
from aigc_demo.generators.text_to_image.model import TextSampling
from aigc_demo.generators.text_to_image.ours import load_text_to_image

model = load_text_to_image("FOLDER")
pictures = model.make(["a red ball"] * 4, [0, 1, 2, 3], TextSampling())  # uint8 [4, 3, H, W]
```"""
USE_OF_TEXT_TO_IMAGE = """## What it is for

A classroom: to see how words get into a picture. It knows the words of its captions and no others, and draws
pictures like those it was trained on."""
ONLY_THE_RUN = """## What this file is for

The model is in the last checkpoint; it can be loaded, and gone on from with `--init`. The
state of the optimizer is not in this file, so the run cannot be resumed."""


USES = {
    "pictures": USE_OF_PICTURES,
    "text-to-image": USE_OF_TEXT_TO_IMAGE,
    "measures": USE_OF_MEASURES,
    "matches": USE_OF_MATCHES,
    "reads": USE_OF_READINGS,
    "mends": USE_OF_REPAIRS,
}
LOOKED = {
    "accuracy": "names the kind of picture rightly",
    "top1": "finds a changed picture again among all held out",
    "top1_of_100": "finds the caption of a picture among 100",
    "picture_of_100": "finds the picture of a caption among 100",
    "picture_of_all": "finds the picture of a caption among all",
    "top1_of_100_zh": "finds the Chinese caption of a picture among 100",
    "picture_of_100_zh": "finds the picture of a Chinese caption among 100",
    "told_from_exchanged": "prefers the caption to one with two looks exchanged",
    "told_from_exchanged_zh": "prefers the Chinese caption to one with two looks exchanged",
    "checker_accuracy": "things whose kind, colour, size and place are all read rightly",
    "picture_accuracy": "pictures of which everything is read rightly",
}
MENDED = {
    "grey_levels": "mean difference from the true pixels, grey levels of 255",
    "grey_levels_before": "the same of the plainest guess",
}
LOADED = {
    "pictures": PICTURES_LOADED,
    "text-to-image": TEXT_TO_IMAGE_LOADED,
    "measures": ENCODER_LOADED,
    "matches": MATCHER_LOADED,
    "reads": READER_LOADED,
    "mends": MENDER_LOADED,
}
_COUNTS = {"one_object": "one thing", "two_objects": "two things", "three_objects": "three things"}
DREW_RIGHT = {
    f"{name}_{which}{end}": f"{told}, {language}: everything right, {chosen}"
    for name, told in _COUNTS.items()
    for end, language in (("", "English"), ("_zh", "Chinese"))
    for which, chosen in (("first", "first picture"), ("best_of_8", "best of 8 by its dual encoder"))
} | {
    "found_of_100_first": "pictures drawn that are found by their caption among 100, first picture",
    "found_of_100_best_of_8": "the same, best of 8 by its dual encoder",
}
