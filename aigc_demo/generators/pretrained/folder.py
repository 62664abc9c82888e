"""Recognizes a pretrained model in a folder, as downloaded from the Hub or elsewhere.

The folder is looked at, not loaded: its configuration by the list of allowed settings, its weights by their
headers. The folder named by AIGC_DEMO_MODELS holds one sub-folder a model.
"""

import math
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.weights_file import FLOATING, read_header, read_json, weights_files
from aigc_demo.core.memory import check_fits
from aigc_demo.generators import kinds
from aigc_demo.generators.catalog_entry import CatalogEntry
from aigc_demo.generators.pretrained.config_keys import DIFFUSERS, TRANSFORMERS
from aigc_demo.generators.pretrained.untrusted_config import taken

MODELS_VARIABLE = "AIGC_DEMO_MODELS"
MOST_MODELS, MOST_FILES, MOST_DEPTH = 100, 2000, 4
TEXT_ARCHITECTURES = ("gpt2", "llama", "qwen2")
NEXT_SENTENCE_HEAD = ("bert.pooler.dense", "cls.seq_relationship")
BYTE_PAIRS, WORD_PIECES = ("vocab.json", "merges.txt"), ("vocab.txt",)
TOKENIZER_FILES = {"gpt2": (BYTE_PAIRS, WORD_PIECES), "llama": (), "qwen2": (BYTE_PAIRS,)}
"""The older layouts of a tokenizer; Chinese GPT-2s have BERT's."""
DIFFUSION_WEIGHTS = "diffusion_pytorch_model"
ONE_STEP = "turbo"
"""What the name of a text-to-image model says that was taught to need one step, and no guidance."""
LATENT_SCALE, LARGEST_SIDE = 8, 512
KNOWN = (
    "was made here, or is a GPT-2, Llama, Qwen2, BERT or CLIP of transformers, or a Stable Diffusion "
    "pipeline, a UNet2DModel with its scheduler or an AutoencoderTiny of diffusers"
)
# Tables that older files carry along: masks and places, which a network makes itself.
BUFFER = re.compile(r".*(\.attn\.(bias|masked_bias)|position_ids|token_type_ids|rotary_emb\.inv_freq)")
LICENCE = re.compile(r"^license(?:_name)?:\s*([\w .+-]{1,40})$", re.MULTILINE)


def models_folder() -> Path | None:
    """The folder of models that people downloaded elsewhere; None where none is named."""
    named = os.environ.get(MODELS_VARIABLE, "").strip()
    return Path(named) if named else None


def offered() -> list[CatalogEntry]:
    """The models of that folder by the names of their sub-folders; one that cannot be used says why.

    A name that holds @, the sign of a run's checkpoint, is shown without it.
    """
    folder = models_folder()
    try:
        found = sorted(folder.iterdir()) if folder is not None else []
        found = [path for path in found if path.is_dir() and not path.name.startswith(".")]
    except (OSError, ValueError):  # no such folder, or one that may not be looked into
        return []
    return [_offered(path) for path in found[:MOST_MODELS]]


def _offered(folder: Path) -> CatalogEntry:
    try:
        entry = _known(folder, _state(folder))
    except InputError as error:  # more files than may be looked at
        entry = _unusable(folder, error)
    except OSError as error:  # it went away meanwhile, or may not be looked into
        detail = error.strerror or "it cannot be read"
        entry = _unusable(folder, InputError("broken_model", path=folder.name, detail=detail))
    return replace(entry, name=_readable(entry.name).replace("@", "-"))


@lru_cache(maxsize=2 * MOST_MODELS)
def _known(folder: Path, state: tuple[Any, ...]) -> CatalogEntry:
    """The entry of a folder, cached while its files do not change."""
    try:
        return pretrained_entry(folder, folder.name)
    except InputError as error:
        return _unusable(folder, error)


def _unusable(folder: Path, error: InputError) -> CatalogEntry:
    problem = InputError(error.key, **{**error.values, **_named(error, folder.name)})
    return CatalogEntry(
        folder.name, "pretrained", _kind_at_a_glance(folder), "", str(folder), problem=problem
    )


def _readable(name: str) -> str:
    """A folder's name as valid text: names on a disk need not be."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _named(error: InputError, name: str) -> dict[str, str]:
    """Errors show the model's name on the page, not its path."""
    return {"path": _readable(name)} if "path" in error.values else {}


def _state(folder: Path) -> tuple[Any, ...]:
    """A fingerprint that changes with the files of the folder."""
    return tuple(
        sorted((str(path), path.lstat().st_mtime_ns, path.lstat().st_size) for path in _files(folder))
    )


def _files(folder: Path) -> list[Path]:
    """The files of a folder, a few levels deep.

    Raises:
        InputError: it holds more than any model does.
    """
    found, waiting = [], [(folder, 0)]
    while waiting:
        place, depth = waiting.pop()
        for path in sorted(place.iterdir()):
            found.append(path)
            if (
                path.is_dir()
                and not path.is_symlink()
                and depth < MOST_DEPTH
                and not path.name.startswith(".")
            ):
                waiting.append((path, depth + 1))
        if len(found) > MOST_FILES:
            raise InputError("broken_model", path=str(folder), detail=f"more than {MOST_FILES} files")
    return found


def check_links(folder: Path) -> None:
    """Refuse a folder with a link out of it, which would read other files of this machine.

    Raises:
        InputError: it has one.
    """
    inside = folder.resolve()
    for path in _files(folder):
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            raise InputError(
                "outside_link", path=str(folder), detail=shown(path.relative_to(folder).as_posix())
            )


def pretrained_entry(folder: Path, name: str) -> CatalogEntry:
    """The catalog entry of a pretrained model's folder.

    Args:
        folder: in the Hub's layout.
        name: to show.

    Raises:
        InputError: it is empty, half there, of an unknown architecture or too large for this machine, its
            weights are a pickle alone, or a link leads out of it.
    """
    try:
        check_links(folder)
        layout, config = _layout(folder)
        entry = layout.describe(folder, name, layout.kind, config)
    except OSError as error:  # it is not there, or may not be looked into
        detail = error.strerror or "it cannot be read"
        raise InputError("broken_model", path=str(folder), detail=detail) from error
    check_fits(name, entry.num_parameters or 0)
    return entry


@dataclass(frozen=True)
class Layout:
    """One kind of folder.

    Attributes:
        kind: of its model, a row of `kinds`.
        describe: from folder, name, kind and its first file to what the folder says of itself.
    """

    kind: str
    describe: Callable[[Path, str, str, dict[str, Any]], CatalogEntry]


def _layout(folder: Path) -> tuple[Layout, dict[str, Any]]:
    """Which layout a folder has, and its first file."""
    if (folder / "model_index.json").is_file():
        config = read_json(folder / "model_index.json")
        kind = config.get("_class_name")
        if kind in PIPELINES:
            return PIPELINES[kind], config
    else:
        if not (folder / "config.json").is_file():
            detail = "no config.json" if any(folder.iterdir()) else "it is empty"
            raise InputError("broken_model", path=str(folder), detail=detail)
        config = read_json(folder / "config.json")
        kind = config.get("model_type") or config.get("_class_name")
        if isinstance(kind, str) and kind in SINGLE:
            return SINGLE[kind], config
    detail = f"its kind is {shown(kind) if kind else 'not named'}"
    raise InputError("foreign_model", path=str(folder), detail=detail, expected=KNOWN)


def _kind_at_a_glance(folder: Path) -> str:
    """The kind, and so the picker, of a folder that cannot be used."""
    try:
        return _layout(folder)[0].kind
    except (InputError, OSError):
        return kinds.TEXT_GENERATOR


def _entry(
    folder: Path, name: str, kind: str, architecture: str, files: list[Path], **more: Any
) -> CatalogEntry:
    return CatalogEntry(
        name=name,
        family="pretrained",
        kind=kind,
        recipe="",
        location=str(folder),
        num_parameters=sum(_num_parameters(file) for file in files),
        size_mib=sum(file.stat().st_size for file in files) / 2**20,
        licence=_licence(folder),
        architecture=architecture,
        **more,
    )


def _num_parameters(file: Path) -> int:
    header = read_header(file)
    return sum(
        math.prod(facts.shape)
        for name, facts in header.items()
        if facts.dtype in FLOATING and not BUFFER.fullmatch(name)
    )


def _licence(folder: Path) -> str:
    """As the first lines of the card name it; "" where they do not."""
    try:
        with (folder / "README.md").open(encoding="utf-8") as card:
            found = LICENCE.search(card.read(4096))
    except (OSError, UnicodeDecodeError):
        return ""
    return found[1].strip() if found else ""


def _text(folder: Path, name: str, kind: str, config: dict[str, Any]) -> CatalogEntry:
    architecture = config["model_type"]
    taken(config, TRANSFORMERS[architecture], str(folder))
    _need_tokenizer(folder, *TOKENIZER_FILES[architecture])
    heads, shared = config.get("num_attention_heads", 1), config.get("num_key_value_heads") or 1
    if heads % shared:
        detail = f"{heads} heads cannot share {shared} keys and values in config.json"
        raise InputError("broken_model", path=str(folder), detail=detail)
    files = weights_files(folder)
    ours = architecture == "gpt2"
    return _entry(folder, name, kind, architecture, files, runs_on_ours=ours)


def _masked(folder: Path, name: str, kind: str, config: dict[str, Any]) -> CatalogEntry:
    taken(config, TRANSFORMERS["bert"], str(folder))
    _need_tokenizer(folder, WORD_PIECES)
    files = weights_files(folder)
    return _entry(folder, name, kind, "bert", files, runs_on_ours=has_next_sentence_head(files))


def has_next_sentence_head(files: Iterable[Path]) -> bool:
    """Whether the weights of a BERT are those of its whole pretraining, which our own network needs."""
    found = {name for file in files for name in read_header(file)}
    return all(f"{part}.{kind}" in found for part in NEXT_SENTENCE_HEAD for kind in ("weight", "bias"))


def _clip(folder: Path, name: str, kind: str, config: dict[str, Any]) -> CatalogEntry:
    for part in ("text", "vision"):
        inner = config.get(f"{part}_config") or {}
        if not isinstance(inner, dict):
            raise InputError("broken_model", path=str(folder), detail="config.json")
        taken(inner, TRANSFORMERS[f"clip_{part}_model"], str(folder))
    _need_tokenizer(folder, BYTE_PAIRS)
    _need(folder, "preprocessor_config.json")
    size = (config.get("vision_config") or {}).get("image_size", 224)
    return _entry(folder, name, kind, "clip", weights_files(folder), image_size=size)


def _small_decoder(folder: Path, name: str, kind: str, config: dict[str, Any]) -> CatalogEntry:
    taken(config, DIFFUSERS["AutoencoderTiny"], str(folder))
    return _entry(folder, name, kind, "taesd", weights_files(folder, DIFFUSION_WEIGHTS))


def _noise_to_images(folder: Path, name: str, kind: str, config: dict[str, Any]) -> CatalogEntry:
    """A UNet2DModel with its scheduler, side by side or in folders of their own."""
    place = folder / "unet" if (folder / "unet").is_dir() else folder
    unet = taken(read_json(place / "config.json"), DIFFUSERS["UNet2DModel"], str(folder))
    _need(folder / "scheduler" if (folder / "scheduler").is_dir() else folder, "scheduler_config.json")
    files = weights_files(place, DIFFUSION_WEIGHTS)
    return _entry(folder, name, kind, "ddpm", files, image_size=unet.get("sample_size"))


def _captions_to_images(folder: Path, name: str, kind: str, config: dict[str, Any]) -> CatalogEntry:
    """A Stable Diffusion pipeline; its other components are checked when it is loaded."""
    unet = taken(read_json(folder / "unet" / "config.json"), DIFFUSERS["UNet2DConditionModel"], str(folder))
    taken(read_json(folder / "text_encoder" / "config.json"), TRANSFORMERS["clip_text_model"], str(folder))
    _need_tokenizer(folder / "tokenizer", BYTE_PAIRS)
    _need(folder / "scheduler", "scheduler_config.json")
    _need(folder / "vae", "config.json")
    files = [
        *weights_files(folder / "unet", DIFFUSION_WEIGHTS),
        *weights_files(folder / "text_encoder"),
        *weights_files(folder / "vae", DIFFUSION_WEIGHTS),
    ]
    side = min(LARGEST_SIDE, (unet.get("sample_size") or LARGEST_SIDE // LATENT_SCALE) * LATENT_SCALE)
    architecture = "sd-turbo" if ONE_STEP in name.lower() else "stable-diffusion"
    return _entry(folder, name, kind, architecture, files, image_size=side)


def _need(folder: Path, name: str) -> None:
    if not (folder / name).is_file():
        raise InputError("broken_model", path=str(folder), detail=f"no {name}")


def _need_tokenizer(folder: Path, *layouts: tuple[str, ...]) -> None:
    """Refuse a folder with neither tokenizer.json nor all files of an older layout."""
    if (folder / "tokenizer.json").is_file():
        return
    if not any(all((folder / name).is_file() for name in files) for files in layouts):
        others = "".join(f" nor {files[0]}" for files in layouts)
        raise InputError(
            "broken_model",
            path=str(folder),
            detail=f"neither tokenizer.json{others}" if layouts else "no tokenizer.json",
        )


_UNET = Layout(kinds.IMAGE_GENERATOR, _noise_to_images)
PIPELINES: dict[Any, Layout] = {
    "StableDiffusionPipeline": Layout(kinds.TEXT_TO_IMAGE, _captions_to_images),
    "DDPMPipeline": _UNET,
    "DDIMPipeline": _UNET,
}
SINGLE: dict[str, Layout] = {
    **dict.fromkeys(TEXT_ARCHITECTURES, Layout(kinds.TEXT_GENERATOR, _text)),
    "bert": Layout(kinds.MASKED_WORDS, _masked),
    "clip": Layout(kinds.DUAL_ENCODER, _clip),
    "UNet2DModel": _UNET,
    "AutoencoderTiny": Layout(kinds.DECODER, _small_decoder),
}
