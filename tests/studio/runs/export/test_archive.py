"""A run goes out as one file and comes back; what is not one leaves nothing behind."""

import io
import json
import re
import secrets
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from aigc_demo import cli
from aigc_demo.core.errors import InputError
from aigc_demo.core.events import RunFinished, RunStarted, StepDone, ValidationDone, Warned
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.generators.text.loading import load_text_model
from aigc_demo.studio.runs.export.archive import export_card, export_run, import_run
from aigc_demo.studio.runs.job import Job
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.watch import RunWatches
from aigc_demo.training.start import Order, train
from tests.generators.conftest import save_ours
from tests.training.conftest import TINY


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    run = RunDirectory(tmp_path / "here" / "gpt-1")
    run.create({"recipe": "gpt", "source": "tiny-world", "settings": {}})
    for step in (1, 2):
        run.append(StepDone(step=step, loss=1 / step))
        beside = run.begin_checkpoint(step)
        save_ours(beside, seed=step)
        (beside / "state").mkdir()
        (beside / "state" / "random.pkl").write_bytes(b"a pickle")
        run.finish_checkpoint(step)
    run.append(RunFinished(step=2, reason="finished"))
    return run


def exported(run: RunDirectory, tmp_path: Path) -> Path:
    return export_run(run, "# a card", tmp_path / "gpt-1.zip")


def test_a_run_comes_back_as_it_went_but_for_its_training_state(run: RunDirectory, tmp_path: Path) -> None:
    there = tmp_path / "there"
    name = import_run(exported(run, tmp_path), there, "a secret")
    back = RunDirectory(there / name)
    assert re.fullmatch(r"gpt-1-[0-9a-f]{4}", name)
    assert back.config() == run.config()
    assert list(back.events()) == list(run.events())
    assert [path.name for path in back.checkpoints()] == ["step-000002"]
    assert back.resumable() == []
    assert (there / name / "README.md").read_text() == "# a card"
    job = Job.load(back.path)
    assert job is not None and job.stage == "ended" and job.belongs_to("a secret")
    assert not list(there.rglob("*.pkl"))


@pytest.mark.parametrize("shared", [True, False])
def test_a_run_that_comes_back_is_its_visitors_and_seen_by_others_where_he_says_so(
    run: RunDirectory, tmp_path: Path, shared: bool
) -> None:
    there = tmp_path / "there"
    name = import_run(exported(run, tmp_path), there, "a secret", shared=shared)
    job = Job.load(there / name)
    assert job is not None and job.shared == shared and job.is_seen_by("another") == shared
    assert job.belongs_to("a secret") and not job.belongs_to("another")
    assert not job.belongs_to(job.owner), "what lies on the disk opens nothing"


def test_a_run_comes_back_only_where_there_is_room_for_it(run: RunDirectory, tmp_path: Path) -> None:
    packed, there = exported(run, tmp_path), tmp_path / "there"
    with zipfile.ZipFile(packed) as archive:
        size = sum(info.file_size for info in archive.infolist())
    with pytest.raises(InputError, match="unpack to more than"):
        import_run(packed, there, "s", size - 1)
    assert list(there.glob("*")) == []
    import_run(packed, there, "s", size)


def test_a_name_is_not_given_again_after_its_run_was_deleted(run: RunDirectory, tmp_path: Path) -> None:
    packed, there = exported(run, tmp_path), tmp_path / "there"
    names = set()
    for _ in range(3):
        name = import_run(packed, there, "s")
        shutil.rmtree(there / name)
        names.add(name)
    assert len(names) == 3


def test_a_name_that_is_taken_is_left_alone(run: RunDirectory, tmp_path: Path, monkeypatch) -> None:
    packed, there = exported(run, tmp_path), tmp_path / "there"
    drawn = iter(["aaaa", "00000000", "aaaa", "bbbb", "11111111"])
    monkeypatch.setattr(secrets, "token_hex", lambda size: next(drawn))
    assert [import_run(packed, there, "s") for _ in range(2)] == ["gpt-1-aaaa", "gpt-1-bbbb"]


def test_a_run_of_our_own_network_comes_back(tmp_path: Path) -> None:
    """Its checkpoints hold a card that the Hub's client put there."""
    (tmp_path / "words.txt").write_text("the cat sees the red dog.\n" * 100)
    list(train(Order("gpt", str(tmp_path / "words.txt"), tmp_path / "run", steps=2, settings=TINY)))
    there = tmp_path / "there"
    name = import_run(export_run(RunDirectory(tmp_path / "run"), "", tmp_path / "x.zip"), there, "s")
    assert load_text_model(str(there / name)).family == "ours"


def test_the_card_of_a_run_shows_no_path_of_this_machine(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "runs" / "gpt-1")
    config = {"recipe": "gpt", "source": str(run.path / "source.txt"), "settings": {"batch_size": 8}}
    run.create({**config, "data": {"name": "source.txt", "sha256": "0" * 64}, "seed": 5, "steps": 20})
    for event in (
        RunStarted(step=0, facts={"num_parameters": 7000}),
        StepDone(step=1, loss=3.0, metrics={"seconds": 90.0}),
        ValidationDone(step=1, loss=2.5),
        ValidationDone(step=2, loss=2.75),
    ):
        run.append(event)
    Job("x", ("train", "gpt", "--data", config["source"], "--run-dir", str(run.path)), "ended", 0.0).save(
        run.path
    )
    watches = RunWatches(RunQueue(run.path.parent))
    with pytest.raises(InputError, match="first one"):
        export_card(watches.view("gpt-1"))
    (run.begin_checkpoint(2) / "model.safetensors").write_bytes(b"")
    run.finish_checkpoint(2)
    card = export_card(watches.view("gpt-1"))
    assert str(tmp_path) not in card
    assert (
        "train gpt --data source.txt --run-dir RUN --seed 5 --steps 20 --stop-after 2 --set batch_size=8"
        in card
    )
    assert "| best validation loss | 2.5000 nats a token, at step 1 |" in card
    assert "| last validation loss | 2.7500 nats a token, at step 2 |" in card
    assert "| minutes of training | 1.5 |" in card
    assert "7,000 parameters" in card
    assert "cannot be resumed" in card and not card.startswith("---")


@pytest.mark.parametrize("stem", ["../../etc", "a b", "", ".hidden", "名"])
def test_a_name_from_outside_is_made_harmless(run: RunDirectory, tmp_path: Path, stem: str) -> None:
    packed, there = exported(run, tmp_path), tmp_path / "there"
    odd = tmp_path / "odd"
    odd.mkdir()
    moved = packed.rename(odd / f"x{Path(stem).name}.zip")
    name = import_run(moved, there, "s")
    assert (there / name).is_dir() and (there / name).parent == there
    assert name.isascii() and not name.startswith(".")


def changed(packed: Path, **files: bytes | None) -> Path:
    """The same zip with some files replaced, added, or left out."""
    target = packed.with_name("changed.zip")
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(target, "w") as new:
        names = dict.fromkeys([*old.namelist(), *files])
        for name in names:
            content = files[name] if name in files else old.read(name)
            if content is not None:
                new.writestr(name, content)
    return target


WEIGHTS = "checkpoints/step-000002/model.safetensors"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"config.json": None}, "config.json"),
        ({"config.json": b"[]"}, "config.json"),
        ({"config.json": b'{"recipe": 7}'}, "not that of a run"),
        ({"events.jsonl": b"no event\n"}, "not a run's record"),
        ({"events.jsonl": b"\xff\xfe"}, "not a run's record"),
        ({WEIGHTS: None}, "does not name exactly the files"),
        ({WEIGHTS: b"\x00" * 64}, "not the file that its manifest names"),  # another hash
        ({"checkpoints/step-000002/manifest.json": None}, "not what an export writes"),
        ({"checkpoints/step-000002/state/random.pkl": b"pickle"}, "no exported run has"),
        ({"checkpoints/step-000002/evil.json": b"{}"}, "no exported run has"),
        ({"../evil.json": b"{}"}, "no exported run has"),
        ({"/etc/evil.json": b"{}"}, "no exported run has"),
        ({"run.log": b""}, "no exported run has"),
        ({"README.md": b"x" * (257 * 2**20)}, "larger than it ever is"),
    ],
)
def test_what_is_no_exported_run(run: RunDirectory, tmp_path: Path, files: dict, says: str) -> None:
    there = tmp_path / "there"
    with pytest.raises(InputError, match=says):
        import_run(changed(exported(run, tmp_path), **files), there, "s")
    assert list(there.glob("*")) == []
    assert not list(tmp_path.rglob("evil*"))


def test_weights_of_another_model_of_the_same_size_are_refused(run: RunDirectory, tmp_path: Path) -> None:
    """They would load, and lengths say nothing: only their hash is another one."""
    packed, early = exported(run, tmp_path), (run.checkpoints()[0] / "model.safetensors").read_bytes()
    with zipfile.ZipFile(packed) as archive:
        late = archive.read(WEIGHTS)
    assert len(early) == len(late) and early != late
    with pytest.raises(InputError, match=r"model\.safetensors is not the file"):
        import_run(changed(packed, **{WEIGHTS: early}), tmp_path / "there", "s")
    assert list((tmp_path / "there").glob("*")) == []


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_file_of_the_checkpoint_with_one_other_byte_is_refused(
    run: RunDirectory, tmp_path: Path, name: str
) -> None:
    packed, inside = exported(run, tmp_path), f"checkpoints/step-000002/{name}"
    with zipfile.ZipFile(packed) as archive:
        content = archive.read(inside)
    other = re.sub(rb"[:,]", b" ", content, count=1)
    assert len(other) == len(content) and other != content
    with pytest.raises(InputError, match=f"{name} is not the file that its manifest names"):
        import_run(changed(packed, **{inside: other}), tmp_path / "there", "s")
    assert list((tmp_path / "there").glob("*")) == []


def test_weights_that_are_made_up_are_refused_by_their_header(run: RunDirectory, tmp_path: Path) -> None:
    from aigc_demo.core.files.manifest import build_manifest

    (checkpoint,) = run.checkpoints()[-1:]
    (checkpoint / "model.safetensors").write_bytes(b"\xff" * 64)
    (checkpoint / "manifest.json").write_text(json.dumps(build_manifest(checkpoint)))
    with pytest.raises(InputError):
        import_run(exported(run, tmp_path), tmp_path / "there", "s")
    assert list((tmp_path / "there").glob("*")) == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all"])
def test_what_is_no_zip_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(InputError, match="no zip file"):
        import_run(path, tmp_path / "there", "s")


def test_a_zip_that_is_cut_off_or_turned_over(run: RunDirectory, tmp_path: Path) -> None:
    content = exported(run, tmp_path).read_bytes()
    for place in range(0, len(content), 97):
        for spoiled in (
            content[:place],
            content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :],
        ):
            path = tmp_path / "spoiled.zip"
            path.write_bytes(spoiled)
            there = tmp_path / "there"
            try:
                name = import_run(path, there, "s")
            except InputError:
                assert list(there.glob("*")) == []
            else:  # the byte did not matter: all that is checked is as it was
                back = RunDirectory(there / name)
                assert back.config() == run.config() and len(back.checkpoints()) == 1
                shutil.rmtree(there / name)


def test_a_list_of_contents_that_lies(run: RunDirectory, tmp_path: Path) -> None:
    packed = exported(run, tmp_path)
    small = io.BytesIO()
    with zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.md", b"x" * 100_000)
    content = small.getvalue().replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    packed.write_bytes(content)
    with pytest.raises(InputError):
        import_run(packed, tmp_path / "there", "s")
    assert list((tmp_path / "there").glob("*")) == []


IMPORT = """
import sys, time
from pathlib import Path
from aigc_demo.studio.runs.export import archive

def read_run(place):
    print(place.name, flush=True)
    time.sleep(60)

archive.read_run = read_run
archive.import_run(Path(sys.argv[1]), Path(sys.argv[2]), "s")
"""


def test_what_a_killed_import_leaves_goes_with_the_next_one(
    run: RunDirectory, tmp_path: Path, capsys
) -> None:
    """Killed between unpacking and looking; one that still goes on keeps what it has written."""
    packed, there = exported(run, tmp_path), tmp_path / "there"
    command = [sys.executable, "-c", IMPORT, str(packed), str(there)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        killed, living = (child.stdout.readline().strip() for child in children if child.stdout)
        children[0].send_signal(signal.SIGKILL)
        children[0].wait()
        assert sorted(path.name for path in there.iterdir()) == sorted([killed, living])
        with pytest.raises(SystemExit) as ended:
            cli.main(["import", str(packed), "--folder", str(there), "--json"])
        assert not ended.value.code
        name = json.loads(capsys.readouterr().out)["name"]
        assert sorted(path.name for path in there.iterdir()) == sorted([living, name])
        assert (there / living / "config.json").is_file()
    finally:
        for child in children:
            child.kill()
            child.communicate()


def test_an_exported_run_names_no_folder_of_its_machine(run: RunDirectory, tmp_path: Path) -> None:
    config = {
        **run.config(),
        "source": "/srv/my texts/a.txt",
        "init": "/srv/runs/gpt-0/checkpoints/step-000002",
    }
    (run.path / "config.json").write_text(json.dumps(config))
    run.append(Warned(2, "tracker_failed", {"name": "wandb", "detail": "no file /srv/cache/x"}))
    with run.events_path.open("a") as record:
        record.write('{"event": "step", "st')  # by a worker that was killed
    name = import_run(exported(run, tmp_path), tmp_path / "there", "s")
    back = RunDirectory(tmp_path / "there" / name)
    assert back.config() == {**config, "source": "a.txt", "init": "gpt-0/checkpoints/step-000002"}
    assert list(back.events())[-1] == Warned(2, "tracker_failed", {"name": "wandb", "detail": "no file x"})
    assert len(list(back.events())) == 4
    for path in back.path.rglob("*"):
        assert path.is_dir() or b"/srv" not in path.read_bytes()


def test_an_archive_of_before_whose_configuration_names_a_folder_is_taken(
    run: RunDirectory, tmp_path: Path
) -> None:
    config = json.dumps({**run.config(), "source": "/srv/texts/a.txt"}).encode()
    packed = changed(exported(run, tmp_path), **{"config.json": config})
    there = tmp_path / "there"
    job = Job.load(there / import_run(packed, there, "s"))
    assert job is not None and job.command == "python -m aigc_demo train gpt --data a.txt"


def test_a_run_without_a_checkpoint_is_not_exported(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "gpt-2")
    run.create({"recipe": "gpt"})
    with pytest.raises(InputError, match="first one"):
        export_run(run, "", tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()
