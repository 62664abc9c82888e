"""Headers of safetensors files: read without loading the weights, and compared with what a model expects.

A file is 8 bytes with the length of the header, the header (JSON: name, dtype, shape and byte offsets of
each tensor), and the data. Checking the header first means that a truncated or invalid file, or one of
another model, is rejected with one error message before any memory is allocated for it.
"""

import json
import math
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import InputError
from aigc_demo.core.files.strict_json import check_counts

WEIGHTS = "model.safetensors"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".pickle")
"""Suffixes of pickle files, which can run code when they are loaded; they are never opened."""

NUM_BYTES = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
}
FLOATING = ("F32", "F16", "BF16")
MAX_HEADER_BYTES = 16 * 2**20
MAX_TENSORS, MAX_HEADER_VALUES = 10_000, 100_000
MAX_INDEX_BYTES, MAX_PARTS = 2 * 2**20, 256


@dataclass(frozen=True)
class TensorFacts:
    """One tensor of a file: its dtype in safetensors' notation, its shape and its byte offsets."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def weights_path(folder: str | os.PathLike[str], name: str = WEIGHTS) -> Path:
    """The path of a folder's weights.

    Raises:
        InputError: the file is missing; a pickle, which can run code when it is loaded, does not count.
    """
    path = Path(folder) / name
    if path.is_file():
        return path
    pickles = Path(folder).is_dir() and any(part.suffix in PICKLES for part in Path(folder).iterdir())
    detail = f"no {name}" + (", only a pickle, which could run code" if pickles else "")
    raise InputError("broken_model", path=str(folder), detail=detail)


def weights_files(folder: Path, stem: str = "model") -> list[Path]:
    """The safetensors files of a network: one file, or the shards listed in an index.

    Args:
        folder: of the network.
        stem: file name without suffix; the half-precision variant `STEM.fp16` is used where it is the only
            one.

    Raises:
        InputError: there is none, or a shard is missing; pickles do not count.
    """
    for name in (f"{stem}.safetensors", f"{stem}.fp16.safetensors"):
        if (folder / name).is_file():
            return [folder / name]
    index = folder / f"{stem}.safetensors.index.json"
    if index.is_file():
        return _parts(index, stem)
    return [weights_path(folder, f"{stem}.safetensors")]


def _parts(index: Path, stem: str) -> list[Path]:
    """The shards listed in an index; names that are not shards of these weights are rejected."""
    folder, part = index.parent, re.compile(rf"{re.escape(stem)}-\d{{5}}-of-\d{{5}}\.safetensors")
    named = read_json(index, MAX_INDEX_BYTES).get("weight_map")
    files = sorted({str(name) for name in named.values()}) if isinstance(named, dict) else []
    if not 1 <= len(files) <= MAX_PARTS or not all(part.fullmatch(name) for name in files):
        raise InputError("broken_model", path=str(folder), detail=index.name)
    for name in files:
        if not (folder / name).is_file():
            raise InputError("broken_model", path=str(folder), detail=f"no {name}")
    return [folder / name for name in files]


def read_json(path: Path, max_bytes: int = 2**20) -> dict[str, Any]:
    """A small JSON object from a model's folder.

    Raises:
        InputError: the file is missing, too large, or not a JSON object.
    """
    try:
        if path.stat().st_size > max_bytes:
            raise ValueError("too large")
        value = json.loads(path.read_text("utf-8"))
        if not isinstance(value, dict):
            raise ValueError("not an object")
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("broken_model", path=str(path.parent), detail=path.name) from error
    return value


def read_header(path: Path) -> dict[str, TensorFacts]:
    """Names, dtypes, shapes and byte offsets of a file's tensors.

    Raises:
        InputError: the file is truncated, too long, or not a safetensors file.
    """
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if not 2 <= size <= MAX_HEADER_BYTES:
                raise ValueError("no header")
            raw = file.read(size)
        check_counts(raw, MAX_TENSORS + 2, MAX_HEADER_VALUES)
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique)
        _check_metadata(header.get("__metadata__", {}))
        facts = {name: _facts(entry) for name, entry in header.items() if name != "__metadata__"}
        _check_places(facts, path.stat().st_size - 8 - size)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            "broken_model", path=str(path), detail="its header or its length is wrong"
        ) from error
    return facts


def check_weights(
    path: Path,
    expected: Mapping[str, Sequence[int]],
    *,
    optional: Collection[str] = (),
    dtypes: Collection[str] = FLOATING,
) -> None:
    """Check that a file contains exactly the tensors a model needs, before it is loaded.

    Args:
        path: a safetensors file.
        expected: name and shape of each tensor, such as those of the model on torch's meta device.
        optional: names among them that may be missing, such as the second name of a shared weight.
        dtypes: those allowed, in safetensors' notation.

    Raises:
        InputError: the file is broken, or a tensor is missing, unknown, or has another shape or dtype.
    """
    check_tensors(read_header(path), expected, str(path), optional=optional, dtypes=dtypes)


def check_tensors(
    found: Mapping[str, TensorFacts],
    expected: Mapping[str, Sequence[int]],
    path: str,
    *,
    optional: Collection[str] = (),
    dtypes: Collection[str] = FLOATING,
) -> None:
    """As `check_weights`, for a header that was read already.

    Args:
        found: by the model's parameter names.
        expected: name and shape of each tensor.
        path: for the error.
        optional: names among them that may be missing.
        dtypes: those allowed, in safetensors' notation.

    Raises:
        InputError: a tensor is missing, unknown, or has another shape or dtype.
    """
    faults = [f"{name} is missing" for name in expected if name not in found and name not in optional]
    for name, facts in found.items():
        if name not in expected:
            faults.append(f"{name} does not belong there")
        elif facts.shape != tuple(expected[name]):
            faults.append(f"{name} is {list(facts.shape)}, not {list(expected[name])}")
        elif facts.dtype not in dtypes:
            faults.append(f"{name} is {facts.dtype}")
    if faults:
        raise InputError("foreign_model", path=path, detail=shown(faults[0]), expected="fits its config.json")


def num_parameters(path: Path, part: str = "", copies: Collection[str] = ()) -> int:
    """The number of parameters in a file.

    Args:
        path: a safetensors file.
        part: prefix of the names to count; all by default.
        copies: names of tensors that are equal to others of the file, and are not counted.

    Raises:
        InputError: it is not a complete safetensors file.
    """
    header = read_header(path)
    return sum(
        math.prod(facts.shape)
        for name, facts in header.items()
        if name.startswith(part) and name not in copies
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without duplicate keys: of two tensors of one name, parsers take different ones."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate name")
    return found


def _check_metadata(given: Any) -> None:
    """The header's metadata must map strings to strings, as the library requires."""
    if not all(isinstance(value, str) for value in given.values()):
        raise ValueError("metadata that is not a string")


def _facts(entry: dict[str, Any]) -> TensorFacts:
    shape, (begin, end) = entry["shape"], entry["data_offsets"]
    if not all(type(number) is int and number >= 0 for number in (*shape, begin, end)):
        raise ValueError("not a count")
    if math.prod(shape) * NUM_BYTES[entry["dtype"]] != end - begin:
        raise ValueError("a tensor's length does not fit its shape")
    return TensorFacts(entry["dtype"], tuple(shape), begin, end)


def _check_places(facts: Mapping[str, TensorFacts], num_bytes: int) -> None:
    """The tensors must fill the data section without a gap or an overlap."""
    place = 0
    for tensor in sorted(facts.values(), key=lambda tensor: (tensor.begin, tensor.end)):
        if tensor.begin != place:
            raise ValueError("a gap or an overlap")
        place = tensor.end
    if place != num_bytes:
        raise ValueError("the file is cut off or too long")
