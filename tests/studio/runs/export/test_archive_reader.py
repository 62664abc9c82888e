"""Archives of runs from outside: what an export writes is taken, everything else is refused in a sentence."""

import json
import shutil
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import StepDone, Warned
from aigc_demo.core.files.manifest import MANIFEST, build_manifest
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.generators.catalog import ASSETS
from aigc_demo.studio.runs.export.archive import export_run, import_run
from aigc_demo.studio.runs.export.archive_files import MODEL_FILES, RUN_FILES, unpack
from aigc_demo.studio.runs.export.archive_reader import check_events
from aigc_demo.studio.runs.samples import sample_path
from tests.generators.conftest import save_ours

STEP = "checkpoints/step-000002"
SHIPPED = {
    "gpt": "gpt-tiny-world",
    "gpt2": "gpt2-tiny-world",
    "dcgan": "dcgan-tiny-world",
    "ddpm": "ddpm-tiny-world",
    "classifier": "classifier-tiny-world",
    "checker": "checker-tiny-world",
    "clip": "clip-tiny-world",
    "colorize": "colorize-tiny-world",
    "text2image": "text2image-tiny-world",
    "text2image-diffusion": "text2image-diffusion-tiny-world",
}


def run_of(path: Path, recipe: str, fill) -> RunDirectory:
    """A run with one checkpoint that `fill` writes, its training state included."""
    run = RunDirectory(path)
    run.create({"recipe": recipe, "source": "tiny-world", "settings": {}, "seed": 3, "steps": 2})
    run.append(StepDone(step=1, loss=2.5, metrics={"seconds": 0.1}))
    beside = run.begin_checkpoint(2)
    fill(beside)
    (beside / "state").mkdir()
    (beside / "state" / "random.pkl").write_bytes(b"a pickle")
    run.finish_checkpoint(2)
    return run


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    """A good archive, of a tiny model of ours."""
    folder = tmp_path_factory.mktemp("exported")
    return export_run(run_of(folder / "run", "gpt", save_ours), "# a card", folder / "good.zip")


def packed(source: Path, target: Path, changes: dict[str, bytes | None], *, honest: bool = True) -> Path:
    """The archive with files changed; an honest one has a manifest that names them as they are now."""
    with zipfile.ZipFile(source) as old:
        files = {name: old.read(name) for name in old.namelist()} | changes
    files = {name: content for name, content in files.items() if content is not None}
    folder = target.with_suffix("")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    if honest:
        files[f"{STEP}/{MANIFEST}"] = json.dumps(build_manifest(folder / STEP)).encode()
    shutil.rmtree(folder)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in files.items():
            new.writestr(name, content)
    return target


def held(source: Path, name: str) -> dict:
    with zipfile.ZipFile(source) as file:
        return json.loads(file.read(name))


def refuse(path: Path, tmp_path: Path) -> str:
    """The sentence with which an archive is refused; it leaves nothing, and names no place of here."""
    with pytest.raises(InputError) as refused:
        import_run(path, tmp_path / "runs", "s")
    assert not (tmp_path / "runs").exists()
    sentence = str(refused.value)
    assert sentence.startswith("This file is not an exported run (")
    assert str(tmp_path) not in sentence
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("recipe", SHIPPED)
def test_a_run_of_every_recipe_comes_back(recipe: str, tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        shutil.copytree(ASSETS / SHIPPED[recipe], folder, dirs_exist_ok=True)

    run = run_of(tmp_path / "run", recipe, fill)
    name = import_run(export_run(run, "# a card", tmp_path / "x.zip"), tmp_path / "runs", "s")
    back = RunDirectory(tmp_path / "runs" / name)
    (checkpoint,) = back.checkpoints()
    listed = json.loads((checkpoint / MANIFEST).read_text())
    assert set(listed) == {
        path.relative_to(checkpoint).as_posix()
        for path in checkpoint.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }
    assert not list(back.path.rglob("state"))


@pytest.mark.parametrize("recipe", ["gpt2", "dcgan", "clip"])
def test_recipe_and_networks_have_to_agree(recipe: str, exported: Path, tmp_path: Path) -> None:
    config = {**held(exported, "config.json"), "recipe": recipe}
    path = packed(exported, tmp_path / "x.zip", {"config.json": json.dumps(config).encode()})
    assert "not that of its recipe" in refuse(path, tmp_path)


CONFIGS = {
    "recipe": [None, 7, [], {}, "no-such-recipe", "gpt\0"],
    "settings": [None, [], {"no_such_setting": 1}, {"batch_size": "<b>many</b>"}, {"hidden_size": 1e400}],
    "seed": ["x", -1, [1], True],
    "steps": ["2", [2], {"a": 1}],
    "source": [7, ["x"], "a\0b", "x" * 5000],
    "init": [7, "x" * 5000],
    "data": [[], {"evil": "x"}, {"name": 7}],
    "versions": ["x", {"torch": [1]}, {"x" * 100: "1"}],
    "evil": [1],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in CONFIGS.items() for value in values]
)
def test_a_configuration_holds_what_a_run_says(
    exported: Path, tmp_path: Path, name: str, value: object
) -> None:
    config = {**held(exported, "config.json"), name: value}
    path = packed(exported, tmp_path / "x.zip", {"config.json": json.dumps(config).encode()})
    refuse(path, tmp_path)


@pytest.mark.parametrize("digits", [17, 400, 5000])
def test_a_number_of_many_digits_is_refused(exported: Path, tmp_path: Path, digits: int) -> None:
    text = json.dumps(held(exported, "config.json")).replace('"steps": 2', f'"steps": {"9" * digits}')
    refuse(packed(exported, tmp_path / "x.zip", {"config.json": text.encode()}), tmp_path)


LINES = {
    "no object": "[1]",
    "no event": '{"event": "party", "step": 1}',
    "a step of text": '{"event": "step", "step": "1", "loss": 1.0}',
    "a step below nought": '{"event": "step", "step": -1, "loss": 1.0}',
    "a step beyond all": '{"event": "step", "step": 1180591620717411303424, "loss": 1.0}',
    "a step that is true": '{"event": "step", "step": true, "loss": 1.0}',
    "a loss beyond all": '{"event": "step", "step": 1, "loss": 1e999}',
    "a loss that is none": '{"event": "step", "step": 1, "loss": NaN}',
    "a measure of text": '{"event": "step", "step": 1, "loss": 1.0, "seconds": "0.1"}',
    "a measure of a list": '{"event": "step", "step": 1, "loss": 1.0, "seconds": [1]}',
    "facts that are none": '{"event": "start", "step": 0, "facts": 3}',
    "another reason": '{"event": "finish", "step": 1, "reason": "<b>"}',
    "a best step of text": '{"event": "finish", "step": 1, "reason": "time", "best_step": "x"}',
    "a place outside": '{"event": "checkpoint", "step": 1, "path": "../../etc"}',
    "a place from the root": '{"event": "sample", "step": 1, "file": "/etc/passwd"}',
    "another sentence": '{"event": "warning", "step": 1, "key": "no_such_sentence", "values": {}}',
    "a sentence without its values": '{"event": "warning", "step": 1, "key": "too_large", "values": {}}',
    "deep": '{"event": "start", "step": 0, "facts": {"a": ' + "[" * 9 + "]" * 9 + "}}",
    "very deep": '{"event": "start", "step": 0, "facts": ' + "[" * 3_000,
    "half of a character": '{"event": "sample", "step": 1, "text": "\\ud800"}',
    "half a character": '{"event": "sample", "step": 1, "text": "\\u00"}',
}


@pytest.mark.parametrize("name", LINES)
def test_a_record_is_one_event_a_line_each_of_its_kind(exported: Path, tmp_path: Path, name: str) -> None:
    lines = f'{{"event": "step", "step": 1, "loss": 1.0}}\n{LINES[name]}\n'
    path = packed(exported, tmp_path / "x.zip", {"events.jsonl": lines.encode()})
    assert "not a run's record" in refuse(path, tmp_path)


def test_what_a_run_warns_of_can_be_said(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.create({"recipe": "gpt"})
    run.append(Warned(step=1, key="other_processes", values={"old": 1, "new": 2}))
    check_events(run.events_path)


def test_a_line_without_end_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with path.open("wb") as file:
        file.write(b'{"event": "sample", "step": 1, "text": "')
        file.truncate(60 * 2**20)
    tracemalloc.start()
    with pytest.raises(InputError):
        check_events(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4 * 2**20


def changed_manifest(source: Path, change) -> bytes:
    listed = held(source, f"{STEP}/{MANIFEST}")
    change(listed)
    return json.dumps(listed).encode()


def _lying(listed: dict) -> None:
    listed["model.safetensors"]["sha256"] = "0" * 64


MANIFESTS = {
    "empty": lambda listed: listed.clear(),
    "names a device": lambda listed: listed.update({"/dev/zero": {"bytes": 0, "sha256": "0" * 64}}),
    "names a file outside": lambda listed: listed.update({"../../config.json": {"bytes": 1, "sha256": ""}}),
    "names one too few": lambda listed: listed.pop("tokenizer.json"),
    "says another hash": _lying,
    "says no hash": lambda listed: listed.update({"model.safetensors": 5}),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_names_exactly_the_files_beside_it(exported: Path, tmp_path: Path, name: str) -> None:
    manifest = changed_manifest(exported, MANIFESTS[name])
    refuse(packed(exported, tmp_path / "x.zip", {f"{STEP}/{MANIFEST}": manifest}, honest=False), tmp_path)


def test_a_manifest_may_speak_of_the_training_state(exported: Path, tmp_path: Path) -> None:
    """As those of earlier exports do; it is looked for nowhere."""
    manifest = changed_manifest(
        exported, lambda listed: listed.update({"state/../../../../dev/zero": {"bytes": 0, "sha256": ""}})
    )
    path = packed(exported, tmp_path / "x.zip", {f"{STEP}/{MANIFEST}": manifest}, honest=False)
    assert import_run(path, tmp_path / "runs", "s")


TOKENIZERS = {
    "changes texts": {
        "normalizer": {"type": "Replace", "pattern": {"Regex": "(a*)*b"}, "content": "x" * 1000}
    },
    "fills up": {"padding": {"strategy": {"Fixed": 10**9}, "direction": "Right", "pad_id": 0}},
    "cuts": {"truncation": {"direction": "Right", "max_length": 0, "strategy": "LongestFirst", "stride": 9}},
    "adds": {
        "post_processor": {"type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {}}
    },
    "cuts by a pattern": {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(x+x+)+y"}}},
    "is of another kind": {"model": {"type": "Unigram", "vocab": [["<unk>", 0.0]], "unk_id": 0}},
    "has no numbers": {"model": {"type": "WordLevel", "vocab": {"<unk>": "0"}}},
    "has a number twice": {"model": {"type": "WordLevel", "vocab": {"<unk>": 0, "<start>": 1, "a": 1}}},
    "is no object": {"model": []},
}


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_tokenizer_is_made_of_its_vocabulary_alone(exported: Path, tmp_path: Path, name: str) -> None:
    described = {**held(exported, f"{STEP}/tokenizer.json"), **TOKENIZERS[name]}
    path = packed(exported, tmp_path / "x.zip", {f"{STEP}/tokenizer.json": json.dumps(described).encode()})
    assert "tokenizer.json" in refuse(path, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": []},
        {"recipe": "clip", "hidden_size": 1024, "vocab_size": 500_000, "image_size": 32},
        {"vocab_size": 900_000, "hidden_size": 4096 * 3},
        {"num_layers": 10**6},
        {"hidden_size": "wide"},
        {"evil": 1},
    ],
)
def test_a_network_that_its_weights_do_not_fit_takes_no_memory(
    exported: Path, tmp_path: Path, change: dict
) -> None:
    config = {**held(exported, f"{STEP}/config.json"), **change}
    refuse(
        packed(exported, tmp_path / "x.zip", {f"{STEP}/config.json": json.dumps(config).encode()}), tmp_path
    )


@pytest.mark.parametrize(
    "content",
    [b"no picture", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, b"GIF89a" + b"\0" * 20],
)
def test_a_sample_is_a_image(exported: Path, tmp_path: Path, content: bytes) -> None:
    path = packed(exported, tmp_path / "x.zip", {"samples/step-000002.png": content})
    assert "no PNG picture" in refuse(path, tmp_path)


def test_a_sample_that_is_one_comes_along(exported: Path, tmp_path: Path) -> None:
    drawn = (ASSETS.parent / "docs" / "screenshot.png").read_bytes()
    path = packed(exported, tmp_path / "x.zip", {"samples/step-000002.png": drawn})
    back = RunDirectory(tmp_path / "runs" / import_run(path, tmp_path / "runs", "s"))
    assert sample_path(back, 2).read_bytes() == drawn


NAMES = (
    "evil.py",
    "../evil.json",
    "/etc/evil.json",
    f"{STEP}/evil.json",
    f"{STEP}/deep/config.json",
    "a" * 200,
)


@pytest.mark.parametrize(
    "name", [*NAMES, "checkpoints/step-000002\\config.json", "run.log", f"{STEP}/state/x.pkl"]
)
def test_names_that_no_export_has(exported: Path, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(exported) as old, zipfile.ZipFile(tmp_path / "x.zip", "w") as new:
        for info in old.infolist():
            new.writestr(info, old.read(info))
        new.writestr(name, b"{}")
    assert "no exported run has" in refuse(tmp_path / "x.zip", tmp_path)


def test_two_checkpoints_are_none(exported: Path, tmp_path: Path) -> None:
    refuse(packed(exported, tmp_path / "x.zip", {"checkpoints/step-000007/config.json": b"{}"}), tmp_path)


def test_a_link_in_an_archive_is_refused(exported: Path, tmp_path: Path) -> None:
    info = zipfile.ZipInfo("samples/step-000002.png")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(exported) as old, zipfile.ZipFile(tmp_path / "x.zip", "w") as new:
        for known in old.infolist():
            new.writestr(known, old.read(known))
        new.writestr(info, "/etc/passwd")
    assert "a link" in refuse(tmp_path / "x.zip", tmp_path)


@pytest.mark.parametrize(
    ("name", "size"),
    [("README.md", 257 * 1024), (f"{STEP}/model.safetensors", 70 * 2**20), ("events.jsonl", 2**24)],
)
def test_what_is_larger_or_packed_more_tightly_than_ever_is_not_unpacked(
    exported: Path, tmp_path: Path, name: str, size: int
) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, b"\0" * size)
    tracemalloc.start()
    refuse(tmp_path / "x.zip", tmp_path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**20


SWOLLEN = {
    "objects": b'{"x": [' + b",".join([b"{}"] * 1_200_000) + b"]}",
    "lists": b'{"x": [' + b",".join([b"[0]"] * 900_000) + b"]}",
    "words": b"{" + b",".join(b'"%x":0' % number for number in range(350_000)) + b"}",
}


@pytest.mark.parametrize("part", ["tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("what", SWOLLEN)
def test_what_is_small_in_a_file_and_large_in_memory_is_not_parsed(
    exported: Path, tmp_path: Path, part: str, what: str
) -> None:
    content = SWOLLEN[what]
    if part == "model.safetensors":
        content = len(content).to_bytes(8, "little") + content
    path = packed(exported, tmp_path / "x.zip", {f"{STEP}/{part}": content})
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "y.zip", "w") as new:
        for name in old.namelist():  # stored: how tightly it is packed is not what it is refused for
            new.writestr(name, old.read(name))
    tracemalloc.start()
    assert part in refuse(tmp_path / "y.zip", tmp_path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 50 * 10**6


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("preparation.json", b""),
        ("preparation.json", b'{"validation_fraction": "much"}'),
        ("preparation.json", b'{"evil": 1}'),
        ("tokenizer_config.json", b"[" * 1000),
        ("generation_config.json", b'{"a": NaN}'),
        ("scheduler_config.json", b'{"a": "\\ud800"}'),
    ],
)
def test_every_small_file_is_what_an_export_writes(
    exported: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    path = packed(exported, tmp_path / "x.zip", {f"{STEP}/{name}": content})
    assert f"{name} is not what an export writes" in refuse(path, tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_no_export_has_is_refused(exported: Path, tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(exported) as old, zipfile.ZipFile(tmp_path / "x.zip", "w", method) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert "packed in another way" in refuse(tmp_path / "x.zip", tmp_path)


def test_a_place_that_no_file_has_is_a_damage_and_not_a_full_disk(exported: Path, tmp_path: Path) -> None:
    content = bytearray(exported.read_bytes())
    place = content.rfind(b"PK\x05\x06") + 16  # where the list of contents begins
    content[place : place + 4] = b"\xff" * 4
    (tmp_path / "x.zip").write_bytes(content)
    assert "damaged" in refuse(tmp_path / "x.zip", tmp_path)


def test_a_long_list_of_contents_is_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        for number in range(2_000):
            file.writestr(f"samples/step-{number:06d}.png", b"")
    tracemalloc.start()
    assert "more than 64 files" in refuse(tmp_path / "x.zip", tmp_path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**18


def test_a_list_of_the_large_format_is_not_read(exported: Path, tmp_path: Path) -> None:
    """Its length stands in another record, and an export never needs it."""
    content = exported.read_bytes()
    place = content.rfind(b"PK\x05\x06")
    (tmp_path / "x.zip").write_bytes(content[:place] + b"PK\x06\x07" + bytes(16) + content[place:])
    assert "more than 64 files" in refuse(tmp_path / "x.zip", tmp_path)


def test_the_room_that_there_is_counts(exported: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(exported) as file:
        size = sum(info.file_size for info in file.infolist())
    with pytest.raises(InputError, match="would unpack to more than 0 MiB"):
        unpack(exported, tmp_path / "none", size - 1)
    unpack(exported, tmp_path / "all", size)
    assert (tmp_path / "all" / "config.json").is_file()


@pytest.mark.parametrize(
    ("name", "most"),
    [("README.md", RUN_FILES["README.md"]), (f"{STEP}/config.json", MODEL_FILES["config.json"])],
)
def test_a_file_may_be_as_large_as_it_ever_is_and_not_a_byte_more(
    tmp_path: Path, name: str, most: int
) -> None:
    for size in (most, most + 1):
        with zipfile.ZipFile(tmp_path / f"{size}.zip", "w", zipfile.ZIP_STORED) as file:
            file.writestr(name, b"x" * size)
        (tmp_path / str(size)).mkdir()
    unpack(tmp_path / f"{most}.zip", tmp_path / str(most))
    assert (tmp_path / str(most) / name).stat().st_size == most
    with pytest.raises(InputError, match="larger than it ever is"):
        unpack(tmp_path / f"{size}.zip", tmp_path / str(size))


@pytest.mark.parametrize(("held", "promised"), [(1000, 1010), (1000, 990)])
def test_a_file_holds_as_many_bytes_as_the_list_of_contents_says(
    tmp_path: Path, held: int, promised: int
) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.md", b"x" * held)
    content = path.read_bytes()
    assert content.count(held.to_bytes(4, "little")) == 2, "before the file and in the list"
    path.write_bytes(content.replace(held.to_bytes(4, "little"), promised.to_bytes(4, "little")))
    (tmp_path / "there").mkdir()
    with pytest.raises(InputError, match=r"false|damaged"):
        unpack(path, tmp_path / "there")
