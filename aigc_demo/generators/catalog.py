"""Which models there are, as plain data: nothing here loads one, or imports what loads one."""

import contextlib
import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.paths import reason
from aigc_demo.core.files.weights_file import num_parameters, read_json, weights_path
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.data.preparation import PREPARATION
from aigc_demo.generators.catalog_entry import CatalogEntry as CatalogEntry
from aigc_demo.generators.catalog_entry import Family as Family
from aigc_demo.generators.pretrained import folder as pretrained_folder

GANS = ("dcgan", "stylegan")
DIFFUSION_WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
LOOKING = {
    "classifier": "measures",
    "clip": "matches",
    "checker": "reads",
    "colorize": "mends",
    "inpaint": "mends",
}
"""What recipes whose networks look at pictures are for, as the kinds of a catalog's entries."""
TEXT_GAN, TEXT_DIFFUSION = "text2image", "text2image-diffusion"
MADE_HERE = ("gpt", "gpt2", *GANS, "ddpm", *LOOKING, TEXT_GAN, TEXT_DIFFUSION)

ASSETS = Path(__file__).resolve().parents[2] / "assets"
HUB_PREFIX = "hf:"
HUB_NAME = re.compile(r"hf:(?P<id>[\w.-]{1,96}/[\w.-]{1,96})@(?P<revision>[0-9a-f]{40})")


# The languages of a text, what it is, and the SHA-256 of its file.
_SHAKESPEARE = (
    ("English",),
    "Shakespeare's plays (tinyshakespeare, 1.1 million characters, first 90 %)",
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
)
_TANG = (
    ("Chinese",),
    "poems of the Tang dynasty (first 90 %)",
    "5592b7cbb6ed2118719bf4f8068119d499b0991f35838bd83e309808cd034ac3",
)
_STORIES = (
    ("English",),
    "20,000 stories of the tiny world (first 90 %)",
    "a8b47081155cb8cf9a821017c149142f4cfdb8e9f38737e2442b66f5ed8c9866",
)
_DRAWINGS: tuple[tuple[str, ...], str, str] = (
    (),
    "20,000 drawings of the tiny world, one shape each",
    "af8535e58cee82ff7f1050415e41fd45e7fdc74733ff40880dbf3b05e6c29b8c",
)
_EMOJI: tuple[tuple[str, ...], str, str] = (
    (),
    "Noto Emoji, 1,647 pictures (Apache-2.0)",
    "f4de8aa68497ad7726880fd37a9f78253188712791783d99a65562984262e298",
)
# The same with their names, nothing held out.
_EMOJI_PAIRS: tuple[tuple[str, ...], str, str] = (
    ("English",),
    "Noto Emoji, 1,647 pictures with their names (Apache-2.0)",
    "8682d062014d766d60bb26c4161647f1f6e70f1ae9e0db74aaacec3bc2319422",
)
_PAIRS: tuple[tuple[str, ...], str, str] = (
    ("English", "Chinese"),
    "20,000 drawings of the tiny world, one to three things, with captions",
    "64de9b91baff4ad4ff2c8334641738b036dac9648307c5fa495a8276d276ea1d",
)
_GROUPS: tuple[tuple[str, ...], str, str] = (
    (),
    "20,000 drawings of the tiny world, one to three things",
    "9d9a917f1d3f625fd580c9099ae421a18d926c93c779c3debcf17cd9adb66e62",
)
# The same drawings as they are read without what stands on them.
_DRAWN_GROUPS = (*_GROUPS[:2], "dae9f58cc2a977654297bf2b4120b0ae0bfd542ee67dead6232601a8f19046fb")

_SHIPPED = {
    "gpt-shakespeare": _SHAKESPEARE,
    "gpt-tang": _TANG,
    "gpt2-shakespeare": _SHAKESPEARE,
    "gpt2-tang": _TANG,
    "gpt-tiny-world": _STORIES,
    "gpt2-tiny-world": _STORIES,
    "dcgan-tiny-world": _DRAWINGS,
    "ddpm-tiny-world": _DRAWINGS,
    "classifier-tiny-world": _DRAWINGS,
    "classifier-emoji": _EMOJI,
    "dcgan-emoji": _EMOJI,
    "ddpm-emoji": _EMOJI,
    "text2image-tiny-world": _PAIRS,
    "text2image-diffusion-tiny-world": _PAIRS,
    "clip-tiny-world": _PAIRS,
    "clip-emoji": _EMOJI_PAIRS,
    "text2image-emoji": _EMOJI_PAIRS,
    "checker-tiny-world": _GROUPS,
    "colorize-tiny-world": _DRAWN_GROUPS,
    "inpaint-tiny-world": _DRAWN_GROUPS,
}

# Identifiers and revisions were looked up once; never write a revision from memory.
PRETRAINED = (
    CatalogEntry(
        name="distilgpt2",
        family="pretrained",
        kind="text",
        recipe="",
        location="distilbert/distilgpt2",
        revision="2290a62682d06624634c1f46a6ad5be0f47f38aa",
        num_parameters=81_912_576,
        licence="Apache-2.0",
        languages=("English",),
        training_data="OpenWebText, taught by GPT-2",
        size_mib=337,
        architecture="gpt2",
        runs_on_ours=True,
    ),
    CatalogEntry(
        name="gpt2",
        family="pretrained",
        kind="text",
        recipe="",
        location="openai-community/gpt2",
        revision="607a30d783dfa663caf39e06633721c8d4cfcd7e",
        num_parameters=124_439_808,
        licence="MIT",
        languages=("English",),
        training_data="WebText: 40 GB of pages that Reddit linked to",
        size_mib=523,
        architecture="gpt2",
        runs_on_ours=True,
    ),
    CatalogEntry(
        name="SmolLM2-135M",
        family="pretrained",
        kind="text",
        recipe="",
        location="HuggingFaceTB/SmolLM2-135M",
        revision="93efa2f097d58c2a74874c7e644dbc9b0cee75a2",
        num_parameters=134_515_008,
        licence="Apache-2.0",
        languages=("English",),
        training_data="2 trillion tokens of selected web pages, textbooks and code",
        size_mib=257,
        architecture="llama",
    ),
    CatalogEntry(
        name="Qwen2.5-0.5B",
        family="pretrained",
        kind="text",
        recipe="",
        location="Qwen/Qwen2.5-0.5B",
        revision="060db6499f32faf8b98477b0a26969ef7d8b9987",
        num_parameters=494_032_768,
        licence="Apache-2.0",
        languages=("Chinese", "English"),
        training_data="up to 18 trillion tokens in many languages, not published",
        size_mib=942,
        architecture="qwen2",
    ),
    CatalogEntry(
        name="ddpm-cifar10",
        family="pretrained",
        kind="pictures",
        recipe="",
        location="google/ddpm-cifar10-32",
        revision="267b167dc01f0e4e61923ea244e8b988f84deb80",
        num_parameters=35_746_307,
        licence="Apache-2.0",
        training_data="CIFAR-10: 50,000 photographs of animals and vehicles",
        size_mib=136,
        architecture="ddpm",
        image_size=32,
    ),
    CatalogEntry(
        name="tiny-sd",
        family="pretrained",
        kind="text-to-image",
        recipe="",
        location="segmind/tiny-sd",
        revision="cad0bd7495fa6c4bcca01b19a723dc91627fe84f",
        num_parameters=450_000_000,
        licence="CreativeML OpenRAIL-M",
        languages=("English",),
        training_data="LAION's captioned pictures, taught by Stable Diffusion 1.5",
        size_mib=1800,
        architecture="stable-diffusion",
        image_size=256,
        seconds_per_step=0.5,
    ),
    CatalogEntry(
        name="sd-turbo",
        family="pretrained",
        kind="text-to-image",
        recipe="",
        location="stabilityai/sd-turbo",
        revision="b261bac6fd2cf515557d5d0707481eafa0485ec2",
        num_parameters=1_206_000_000,
        licence="Stability AI's own, not for every commercial use",
        languages=("English",),
        training_data="LAION-5B's captioned pictures, taught by Stable Diffusion 2.1",
        size_mib=4700,
        architecture="sd-turbo",
        image_size=512,
        seconds_per_step=9.5,
    ),
    CatalogEntry(
        name="clip-vit-base-patch32",
        family="pretrained",
        kind="matches",
        recipe="",
        location="openai/clip-vit-base-patch32",
        revision="3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268",
        num_parameters=151_277_313,
        licence="none is named on the Hub",
        languages=("English",),
        training_data="400 million captioned pictures of the web, not published",
        size_mib=577,
        architecture="clip",
        image_size=224,
    ),
)

# Draws what a pretrained text-to-image model has made, in a tenth of the time of the model's own decoder.
SMALL_DECODER = CatalogEntry(
    name="taesd",
    family="pretrained",
    kind="decodes",
    recipe="",
    location="madebyollin/taesd",
    revision="614f76814bbe30edbe2e627ace1c2234c81a2c0e",
    num_parameters=2_445_063,
    licence="MIT",
    size_mib=9.4,
    architecture="taesd",
)


def shipped(assets: Path | None = None, known: Collection[str] = ()) -> list[CatalogEntry]:
    """The models trained by this project whose folders are there and whole, less those that are known."""
    entries = []
    for name, (languages, training_data, sha256) in _SHIPPED.items():
        if name in known:
            continue
        with contextlib.suppress(InputError):  # a folder that is missing or half there is not listed
            entry = folder_entry((assets or ASSETS) / name, name)
            told = replace(entry, languages=languages, training_data=training_data, data_sha256=sha256)
            entries.append(replace(told, licence="MIT"))
    return entries


def folder_entry(folder: Path, name: str) -> CatalogEntry:
    """What a model's folder says of itself; its weights are looked at, not loaded.

    Raises:
        InputError: there is no model in it, or one of another kind.
    """
    if (folder / "generator").is_dir():
        return _gan_entry(folder, name)
    config = read_json(folder / "config.json") if (folder / "config.json").is_file() else {}
    if not _made_here(folder, config):
        return pretrained_folder.pretrained_entry(folder, name)
    recipe = config.get("recipe", "gpt2" if config.get("model_type") == "gpt2" else "")
    recipe = recipe if isinstance(recipe, str) else ""
    if recipe in LOOKING:
        return _picture_entry(folder, name, config, [weights_path(folder)], LOOKING[recipe])
    if recipe == "ddpm":
        return _picture_entry(folder, name, config, [folder / DIFFUSION_WEIGHTS], "pictures")
    if recipe == TEXT_DIFFUSION:
        files = [folder / DIFFUSION_WEIGHTS, weights_path(folder / "text_encoder")]
        return _picture_entry(folder, name, config, files, "text-to-image")
    if recipe not in ("gpt", "gpt2"):
        detail = f"its recipe is {shown(recipe) or 'not named'}"
        expected = f"a recipe of this project made: {', '.join(MADE_HERE)}"
        raise InputError("foreign_model", path=str(folder), detail=detail, expected=expected)
    weights = weights_path(folder)
    return CatalogEntry(
        name=name,
        family="ours" if recipe == "gpt" else "library",
        kind="text",
        recipe=recipe,
        location=str(folder),
        num_parameters=num_parameters(weights),
        size_mib=weights.stat().st_size / 2**20,
        architecture=recipe,
        runs_on_ours=recipe == "gpt2",
    )


def _made_here(folder: Path, config: dict[str, Any]) -> bool:
    """Whether this project made a model.

    Its config.json names a recipe, or it is a GPT-2 with the record of how its text was prepared.
    """
    return "recipe" in config or (config.get("model_type") == "gpt2" and (folder / PREPARATION).is_file())


def _gan_entry(folder: Path, name: str) -> CatalogEntry:
    """Two networks, each in a folder of its own."""
    config = read_json(folder / "generator" / "config.json")
    if config.get("recipe") == TEXT_GAN:
        files = [weights_path(folder / part) for part in ("generator", "discriminator", "matcher")]
        entry = _picture_entry(folder, name, config, files, "text-to-image")
        # What draws: the generator, and what reads the caption for it.
        drawing = num_parameters(files[0]) + num_parameters(files[2], "text_encoder.")
        return replace(entry, num_parameters=drawing)
    if config.get("recipe") not in GANS:
        detail = f"its recipe is {shown(config.get('recipe')) or 'not named'}"
        expected = f"makes pictures: {', '.join(GANS)}"
        raise InputError("foreign_model", path=str(folder), detail=detail, expected=expected)
    files = [weights_path(folder / part) for part in ("generator", "discriminator")]
    return _picture_entry(folder, name, config, files, "pictures")


def _picture_entry(
    folder: Path, name: str, config: dict[str, Any], files: list[Path], kind: str
) -> CatalogEntry:
    """A model that makes pictures or looks at them, by its configuration and the files of its weights."""
    size = config.get("image_size")
    return CatalogEntry(
        name=name,
        family="library" if config["recipe"] in ("ddpm", TEXT_DIFFUSION) else "ours",
        kind=kind,
        recipe=config["recipe"],
        location=str(folder),
        num_parameters=sum(num_parameters(file) for file in files),
        size_mib=sum(file.stat().st_size for file in files) / 2**20,
        architecture=config["recipe"],
        image_size=size if isinstance(size, int) else None,
    )


CATALOG: dict[str, CatalogEntry] = {entry.name: entry for entry in (*shipped(), *PRETRAINED)}
"""What was there when this was imported; `listed` looks again."""


def listed() -> dict[str, CatalogEntry]:
    """The catalog as it is now, ours and the library's first: a model may just have been published.

    Models of the folder that AIGC_DEMO_MODELS names stand for those of the Hub with the same name, if they
    are the same: they are nearer.
    """
    new = {entry.name: entry for entry in shipped(known=CATALOG)}
    found = {**CATALOG, **new}
    for entry in pretrained_folder.offered():
        own = _with_facts(entry)
        found[own.name] = own
    return dict(sorted(found.items(), key=lambda item: item[1].family == "pretrained"))


def _with_facts(entry: CatalogEntry) -> CatalogEntry:
    """A model of a folder with what the catalog knows of it; another one of that name gets a new name."""
    for known in (*PRETRAINED, SMALL_DECODER):
        names = (known.name.lower(), known.location.rpartition("/")[2].lower())
        same = (
            entry.kind == known.kind
            and abs((entry.num_parameters or 0) / (known.num_parameters or 1) - 1) < 0.05
        )
        if entry.name.lower() in names and same:
            found = replace(known, revision=None, location=entry.location)
            return replace(found, num_parameters=entry.num_parameters, size_mib=entry.size_mib)
    taken = entry.name in CATALOG or entry.name in _SHIPPED or entry.name == SMALL_DECODER.name
    return replace(entry, name=f"{entry.name}-folder") if taken else entry


def small_decoder() -> CatalogEntry:
    """The small decoder: of the folder of models where it is there, else of the Hub."""
    there = (entry for entry in listed().values() if entry.architecture == SMALL_DECODER.architecture)
    return next((entry for entry in there if entry.problem is None), SMALL_DECODER)


def find(name: str, *, allow_hub: bool = False) -> CatalogEntry:
    """The model that a name stands for.

    Args:
        name: a name from the catalog; a run directory, for its latest whole checkpoint; a model's folder;
            or hf:owner/name@commit with the full commit of 40 hexadecimal digits.
        allow_hub: whether hf: names are taken; the page offers the catalog alone.

    Raises:
        InputError: there is no such model, or the folder holds none that can be read.
    """
    entry = listed().get(name)
    if entry is not None and entry.problem is not None:
        raise entry.problem
    if entry is not None:
        return entry
    if name.startswith(HUB_PREFIX) and allow_hub:
        return _hub_entry(name)
    folder = _folder(name)
    if folder is None:
        raise InputError("unknown_model", name=shown(name))
    try:
        return _folder_or_run(folder, name)
    except OSError as error:  # it may not be looked into
        raise InputError("broken_model", path=shown(name), detail=reason(error)) from error


def _folder_or_run(folder: Path, name: str) -> CatalogEntry:
    run = RunDirectory(folder)
    if (folder / "checkpoints").is_dir():
        checkpoints = run.checkpoints()
        if not checkpoints:
            raise InputError("broken_model", path=shown(name), detail="the run has no whole checkpoint yet")
        return folder_entry(checkpoints[-1], name)
    return folder_entry(folder, name)


def _folder(name: str) -> Path | None:
    try:
        return Path(name) if name and Path(name).is_dir() else None
    except (OSError, ValueError):  # a name that no file could have
        return None


def _hub_entry(name: str) -> CatalogEntry:
    match = HUB_NAME.fullmatch(name)
    if match is None:
        raise InputError("hub_name", name=shown(name))
    return CatalogEntry(
        name=name,
        family="pretrained",
        kind="text",
        recipe="",
        location=match["id"],
        revision=match["revision"],
        licence="see its model card",
    )
