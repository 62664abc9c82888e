"""Runs whose folders are named in any language, with spaces and signs: listed, chosen, used, taken home."""

import asyncio
import json
import os
import sys
import unicodedata
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import torch
from starlette.applications import Starlette

from aigc_demo import cli
from aigc_demo.core.errors import InputError
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.studio.models.catalog import Catalog, run_and_step
from aigc_demo.studio.models.model_cache import ModelCache
from aigc_demo.studio.runs.export.archive import export_run, import_run, portable_name
from aigc_demo.studio.runs.export.hub_folder import zip_model_folder
from aigc_demo.studio.runs.job import Job, hashed
from aigc_demo.studio.runs.notes import is_run_name
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.samples import sample_path
from aigc_demo.studio.runs.watch import RunWatches, image_key
from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.studio.visitors.visitor import answer_to
from aigc_demo.training.start import Order, train
from aigc_demo.ui.serving.launch import image_route
from aigc_demo.ui.train.view import IMAGES_PATH, image_address
from tests.training.conftest import TINY

NAMES = (
    *(
        "训练 一",
        "été #1 & 100%?",
        "a'b\"c",
        "run@3",
        " spaced ",
        "😀🏳️‍🌈",
        "<b>x<i>",
        "a+b=c;d,e",
        "100%25",
        "-x",
    ),
    *(unicodedata.normalize("NFD", "été"), "Прогон", "تجربة", "~$HOME`ls`", "x" * 128, "春" * 85),
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small run, under each of the names."""
    folder = tmp_path_factory.mktemp("runs")
    text = folder.parent / "text.txt"
    text.write_text("the cat sees the red dog.\n\n" * 120)
    first, *others = NAMES
    list(train(Order("gpt", str(text), folder / first, steps=2, settings={**TINY, "mixed_precision": "no"})))
    for name in others:
        # Every file of it may be shared: nothing here writes to one.
        (folder / name).mkdir()
        for path in sorted((folder / first).rglob("*")):
            place = folder / name / path.relative_to(folder / first)
            place.mkdir() if path.is_dir() else place.hardlink_to(path)
    return folder


@pytest.fixture
def queue(runs: Path) -> Iterator[RunQueue]:
    queue = RunQueue(runs, limits=Limits(share_runs=True))
    yield queue
    queue.close()


def test_the_command_line_lists_them(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["runs", "--folder", str(runs)])
    assert not ended.value.code
    listed = capsys.readouterr().out.splitlines()
    assert all(any(line.startswith(str(runs / name)) for line in listed) for name in NAMES)


def test_the_queue_lists_them_and_says_how_they_stand(queue: RunQueue) -> None:
    assert set(NAMES) <= set(queue.names())
    for name in NAMES:
        assert (queue.state(name).stands, queue.state(name).step) == ("finished", 2)
        assert queue.run(name).path == queue.folder / name


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_their_models_are_chosen_and_used(queue: RunQueue, name: str) -> None:
    catalog = Catalog(queue)
    for asked in (name, f"{name}@2"):
        choice = catalog.choice(asked)
        assert choice.value == f"{name}@2"
        assert choice.of_a_run
        assert Path(choice.entry.location) == queue.folder / name / "checkpoints/step-000002"
    found = catalog.trained_by(f"{name}@2")
    assert found is not None and found.path == queue.folder / name
    assert catalog.starting_point("gpt", f"{name}@2") == str(queue.folder / name / "checkpoints/step-000002")


def test_one_of_them_writes(queue: RunQueue) -> None:
    model = ModelCache(catalog=Catalog(queue)).get("训练 一@2")
    assert model.vocab_size > 5


def test_the_sign_before_a_step_may_be_part_of_a_name(queue: RunQueue, runs: Path) -> None:
    assert run_and_step("a@b@12") == ("a@b", "12")
    assert run_and_step("a@b") == run_and_step("@3") == run_and_step("gpt") == ("", "")
    (runs / "run").mkdir()
    try:
        assert Catalog(queue).choice("run@3").value == "run@3@2"  # the run "run" has no step 3
    finally:
        (runs / "run").rmdir()


def test_a_run_that_is_kept_to_oneself_is_not_seen_by_another_reading_of_its_name(
    queue: RunQueue, runs: Path
) -> None:
    Job(hashed("mine"), ("train", "gpt"), "ended", 0.0, shared=False).save(runs / "run@3")
    cache = ModelCache(load=lambda name, report: torch.nn.Linear(2, 2), catalog=Catalog(queue))
    try:
        answer_to("mine")
        cache.get(Catalog(queue).choice("run@3").value)
        answer_to("another's")
        with pytest.raises(InputError):
            cache.get("run@3@2")
        with pytest.raises(InputError):
            Catalog(queue).choice("run@3")
    finally:
        answer_to(None)
        (runs / "run@3" / "ticket.json").unlink()


async def got(app: Starlette, address: str) -> httpx.Response:
    """Starlette's own client decodes an address twice; a server does it once."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
        return await client.get(address)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_their_images_have_addresses(queue: RunQueue, name: str) -> None:
    path = sample_path(queue.run(name), 2)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + name.encode())
    asked: list[str] = []

    def find(named: str, step: int, key: str) -> bytes | None:
        asked.append(named)
        return path.read_bytes() if (named, step, key) == (name, 2, image_key(name)) else None

    app = Starlette(routes=[image_route(IMAGES_PATH, find)])
    try:
        address = image_address(RunWatches(queue).view(name), 2)
        with ThreadPoolExecutor(1) as thread:  # the browser tests of this process have a loop in this one
            answer = thread.submit(lambda: asyncio.run(got(app, "/" + address))).result()
        assert (asked, answer.status_code) == ([name], 200)
        assert answer.content.endswith(name.encode())
        assert address.isascii() and " " not in address
    finally:
        path.unlink()


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_they_are_taken_home_and_brought_back(queue: RunQueue, tmp_path: Path, name: str) -> None:
    run = queue.run(name)
    packed = export_run(run, "# a card", tmp_path / f"{portable_name(name)}.zip")
    back = import_run(packed, tmp_path / "back", "secret")
    assert is_run_name(back)
    assert RunDirectory(tmp_path / "back" / back).checkpoints()
    model = zip_model_folder(run, tmp_path / "model.zip")
    with zipfile.ZipFile(model) as file:
        (folder,) = {listed.partition("/")[0] for listed in file.namelist()}
    assert folder == portable_name(name) or (folder == "model" and not portable_name(name))


@pytest.mark.parametrize(
    ("name", "portable"),
    [
        ("训练 一", "训练-一"),
        ("été #1 & 100%?", "été-1-100"),
        (unicodedata.normalize("NFD", "été"), "été"),
        ("a/b\\c:d*e", "a-b-c-d-e"),
        ("春" * 85, "春" * 60),
        ("😀", ""),
    ],
)
def test_the_name_of_a_file(name: str, portable: str) -> None:
    assert portable_name(name) == portable


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a/b", "../a", "a\0b", "a\nb", "\udcff", "x" * 129, "春" * 86, None, 3]
)
def test_what_is_no_name_of_a_run(queue: RunQueue, name: object) -> None:
    assert not is_run_name(name)
    with pytest.raises(InputError):
        queue.run(name)


@pytest.mark.skipif(sys.platform != "linux", reason="a name of bytes that are no UTF-8")
def test_what_cannot_be_read_or_sent_hides_no_other_run(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = (runs / NAMES[0] / "config.json").read_bytes()
    for name in (b"bad\xff", b"good", b"shut"):
        place = os.fsencode(tmp_path) + b"/" + name
        os.mkdir(place)
        Path(os.fsdecode(place), "config.json").write_bytes(config)
    plain = os.stat

    def looked(where: object, *more: object, **named: object) -> object:
        if "shut/" in str(where):  # root, who runs some tests, may look everywhere
            raise PermissionError(13, "Permission denied", str(where))
        return plain(where, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", looked)
    with pytest.raises(SystemExit):
        cli.main(["runs", "--folder", str(tmp_path), "--json"])
    (listed,) = capsys.readouterr().out.splitlines()
    assert [Path(run["run_dir"]).name for run in json.loads(listed)["runs"]] == ["bad\udcff", "good"]
    assert set(RunQueue(tmp_path, limits=Limits(share_runs=True)).names()) >= {"good"}
