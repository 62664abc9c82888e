"""The command line in processes of its own: exact resume, two processes as one or sharded, SIGTERM."""

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from accelerate.commands.config.config_args import ClusterConfig
from accelerate.commands.launch import launch_command_parser
from accelerate.utils import DistributedType
from accelerate.utils.dataclasses import get_module_class_from_name
from safetensors.torch import load_file

from aigc_demo.core.errors import InputError
from aigc_demo.core.files.manifest import invalid_file
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.training.language_model.networks import NETWORKS
from aigc_demo.training.language_model.recipe import LanguageModelSettings
from aigc_demo.training.sharding import sharding_plugin
from benchmarks.kill_workers import CHECKPOINT_EVERY, kill_workers
from tests import forked_commands
from tests.training.conftest import TINY
from tests.training.ranks import CONFIGS, QUIET, launch_environment, run_ranks

SETTINGS = [part for name, value in TINY.items() for part in ("--set", f"{name}={value}")]


# Measuring takes minutes, a sample as long as its text is.
MOST_SECONDS_TO_END = 5.0


def train_command(text_file: Path, run_dir: Path, *more: str, recipe: str = "gpt") -> list[str]:
    return [
        *("-m", "aigc_demo", "train", recipe, "--data", str(text_file), "--run-dir", str(run_dir)),
        *SETTINGS,
        "--json",
        *more,
    ]


def launched(config: str, port: int, command: list[str]) -> list[str]:
    """The command by `accelerate launch`, in two processes and as a file in configs/ says."""
    file = ("--config_file", str(CONFIGS / config), "--main_process_port", str(port))
    # Here there is no GPU, and without one accelerate does not turn FSDP on.
    module = "tests.training.fsdp_on_cpu" if config == "fsdp.yaml" else "aigc_demo"
    return ["-m", "accelerate.commands.launch", *file, "-m", module, *command[2:]]


def run(*arguments: str) -> list[dict]:
    words = [sys.executable, *arguments]
    if words[:3] == forked_commands.COMMAND:
        done = forked_commands.run(words, env=QUIET, text=True, timeout=120)
    else:
        done = subprocess.run(words, env=QUIET, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return events_of(done.stdout)


def events_of(output: str) -> list[dict]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def run_sharded(*command: str) -> list[dict]:
    """What `launched("fsdp.yaml", ...)` runs, without accelerate's launcher; the first of the two speaks."""
    words = [sys.executable, "-m", "tests.training.fsdp_on_cpu", *command[2:]]
    first, second = map(events_of, run_ranks(words, launch_environment("fsdp.yaml")))
    assert second == []
    return first


def losses(lines: list[dict]) -> list[float]:
    return [line["loss"] for line in lines if line.get("event") == "step"]


def test_resumed_in_a_new_process_equals_uninterrupted(text_file: Path, tmp_path: Path) -> None:
    steps = ("--steps", "30")
    whole = run(*train_command(text_file, tmp_path / "a", *steps, "--set", "dropout=0.1"))
    first = run(
        *train_command(text_file, tmp_path / "b", *steps, "--set", "dropout=0.1", "--stop-after", "15")
    )
    rest = run(*train_command(text_file, tmp_path / "b", *steps, "--set", "dropout=0.1", "--resume"))
    assert first[-1] == {**first[-1], "reason": "stopped", "step": 15}
    assert losses(first) + losses(rest) == losses(whole)
    assert rest[-1] == {**whole[-1], "run_dir": str(tmp_path / "b")}


def test_two_processes_give_the_curve_of_one(text_file: Path, tmp_path: Path) -> None:
    one = losses(run(*train_command(text_file, tmp_path / "one", "--steps", "20")))
    torchrun = ("-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "29631")
    two = losses(run(*torchrun, *train_command(text_file, tmp_path / "two", "--steps", "20")))
    assert len(two) == 20  # one of the two speaks
    assert two == pytest.approx(one, abs=1e-4)
    started = next(RunDirectory(tmp_path / "two").events())
    assert started.facts["num_processes"] == 2


def test_resumed_by_another_number_of_processes_it_goes_on_and_says_so(
    text_file: Path, tmp_path: Path
) -> None:
    whole = losses(run(*train_command(text_file, tmp_path / "whole", "--steps", "20")))
    command = train_command(text_file, tmp_path / "both", "--steps", "20")
    first = losses(run(*launched("ddp.yaml", 29632, [*command, "--stop-after", "10"])))
    lines = run(*command, "--resume")
    warned = [line for line in lines if line.get("event") == "warning"]
    assert warned == [
        {"event": "warning", "step": 10, "key": "other_processes", "values": {"old": 2, "new": 1}}
    ]
    assert first + losses(lines) == pytest.approx(whole, abs=1e-4)


def test_sharded_over_two_processes_it_is_the_run_of_one(text_file: Path, tmp_path: Path) -> None:
    more = ["--steps", "20", "--set", "gradient_accumulation_steps=2", "--set", "max_grad_norm=0.5"]
    # An odd number: the two processes' parts of such a matrix are not of one size.
    more += ["--set", "mlp_size=33", "--set", "sample_tokens=8"]
    one, both = tmp_path / "one", tmp_path / "both"
    alone = run(*train_command(text_file, one, *more))
    sharded = run(*launched("fsdp.yaml", 29633, train_command(text_file, both, *more)))
    facts = next(RunDirectory(both).events()).facts
    assert (facts["distributed_type"], facts["num_processes"]) == ("FSDP", 2)
    assert losses(sharded) == pytest.approx(losses(alone), abs=1e-4)
    norms = [
        [line["gradient_norm"] for line in lines if "gradient_norm" in line] for lines in (alone, sharded)
    ]
    assert norms[1] == pytest.approx(norms[0], abs=1e-3)
    assert min(norms[1]) > 0.5  # so each of them was cut
    files = [{path.name for path in (folder / "checkpoints").rglob("*")} for folder in (one, both)]
    assert files[1] - files[0] == {"random_states_1.pkl"}
    assert not files[0] - files[1]
    for part in ("model.safetensors", "state/model.safetensors"):
        weights = [load_file(folder / "checkpoints/step-000020" / part) for folder in (one, both)]
        assert {name: (w.shape, w.dtype) for name, w in weights[0].items()} == {
            name: (w.shape, w.dtype) for name, w in weights[1].items()
        }
        assert max((weights[0][name] - w).abs().max().item() for name, w in weights[1].items()) < 1e-3
    samples = [(folder / "samples/step-000020.txt").read_text() for folder in (one, both)]
    assert samples[0] == samples[1]
    assert len(samples[1]) == 8
    written = run("-m", "aigc_demo", "generate", str(both), "--json", "--set", "max_new_tokens=8")
    assert len(written[-1]["text"]) == 8

    resumed = tmp_path / "resumed"
    shutil.copytree(both, resumed)
    shutil.rmtree(resumed / "checkpoints/step-000020")
    rest = run_sharded(*train_command(text_file, resumed, *more, "--resume"))
    assert losses(rest) == losses(sharded)[10:]
    assert rest[-1] == {**sharded[-1], "run_dir": str(resumed)}


def test_one_process_goes_on_with_a_sharded_run(text_file: Path, tmp_path: Path) -> None:
    """Of the library's network: tied embeddings, and matrices that are stored transposed."""
    more = ("--steps", "20", "--set", "optimizer=muon")
    whole = losses(run(*train_command(text_file, tmp_path / "whole", *more, recipe="gpt2")))
    command = train_command(text_file, tmp_path / "both", *more, recipe="gpt2")
    first = losses(run_sharded(*command, "--stop-after", "10"))
    rest = losses(run(*command, "--resume"))
    assert len(first) == len(rest) == 10
    assert first + rest == pytest.approx(whole, abs=1e-4)


def test_two_processes_give_one_preflight(text_file: Path, tmp_path: Path) -> None:
    command = train_command(text_file, tmp_path / "run", "--steps", "20", "--preflight")
    first, second = map(events_of, run_ranks([sys.executable, *command]))
    (found,) = first
    assert found["fits"]
    assert second == []


@pytest.mark.parametrize(
    ("name", "kind"), [("ddp.yaml", DistributedType.MULTI_GPU), ("fsdp.yaml", DistributedType.FSDP)]
)
def test_configuration_is_one_of_accelerate(tmp_path: Path, name: str, kind: DistributedType) -> None:
    config = ClusterConfig.from_yaml_file(CONFIGS / name)  # refuses what it does not know
    assert config.distributed_type == kind
    assert config.num_processes > 1
    known = vars(launch_command_parser().parse_args(["-m", "aigc_demo"]))  # passes over what it does not know
    assert sorted(set(config.fsdp_config) - set(known)) == []
    assert config.fsdp_config.get("fsdp_version") == (2 if kind == DistributedType.FSDP else None)
    # What the comments say of several machines can be written as it stands.
    several = tmp_path / name
    several.write_text((CONFIGS / name).read_text().replace("# main_process_", "main_process_"))
    config = ClusterConfig.from_yaml_file(several)
    assert (config.main_process_ip, config.main_process_port) == ("192.0.2.1", 29500)


@pytest.mark.parametrize(
    ("recipe", "block"), [("gpt", "Block"), ("gpt2", "GPT2Block"), ("word-lm", "TransformerEncoderLayer")]
)
def test_model_says_what_is_sharded_as_one(recipe: str, block: str) -> None:
    model = NETWORKS[recipe].build(LanguageModelSettings(num_layers=2, num_heads=2, hidden_size=8), 11)
    assert list(model._no_split_modules) == [block]
    assert get_module_class_from_name(model, block).__name__ == block


def test_version_1_of_fsdp_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sharding_plugin() is None
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(InputError, match="fsdp_version: 2"):
        sharding_plugin()


def test_sigterm_leaves_a_whole_checkpoint(text_file: Path, tmp_path: Path) -> None:
    command = [sys.executable, *train_command(text_file, tmp_path / "run", "--minutes", "2")]
    with forked_commands.start(command, env=QUIET, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        for line in worker.stdout:
            if json.loads(line).get("step", 0) >= 3:
                worker.send_signal(signal.SIGTERM)
                break
        last = json.loads(worker.stdout.read().splitlines()[-1])
        assert worker.wait(timeout=30) == 0
    assert last["reason"] == "stopped"
    checkpoint = tmp_path / "run/checkpoints" / f"step-{last['step']:06d}"
    assert not invalid_file(checkpoint, read_all=True)


def stopped_at(command: list[str], event: str, step: int, later: float = 0.3) -> list[dict]:
    """All that a worker says which is asked to end (SIGTERM) a moment after an event, and soon does."""
    command = [sys.executable, *command]
    with forked_commands.start(command, env=QUIET, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        lines = []
        for line in worker.stdout:
            lines.append(json.loads(line))
            if (lines[-1].get("event"), lines[-1]["step"]) == (event, step):
                break
        time.sleep(later)
        before = processor_seconds(worker.pid)
        worker.send_signal(signal.SIGTERM)
        while worker.poll() is None:  # by the processor's time, which a busy machine does not stretch
            assert processor_seconds(worker.pid) - before < MOST_SECONDS_TO_END
            time.sleep(0.02)
        lines += map(json.loads, worker.stdout.read().splitlines())
        assert worker.wait() == 0
        return lines


def processor_seconds(pid: int) -> float:
    """What a process has taken of the processor; 0 once it has ended."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


@pytest.mark.parametrize("last_windows", [64, 1_000_000])
def test_sigterm_while_it_measures_at_the_end(tmp_path: Path, last_windows: int) -> None:
    text = tmp_path / "long.txt"
    text.write_text("the cat sees the red dog. " * 100_000)  # minutes of measuring
    more = ("--set", "validation_fraction=0.9", "--set", f"validation_windows={last_windows}")
    if last_windows > 64:  # the first validation, before any step, is as long
        command, event, step = train_command(text, tmp_path / "run", "--steps", "3", *more), "start", 0
    else:
        command, event, step = train_command(text, tmp_path / "run", "--steps", "3", *more), "step", 3
    lines = stopped_at(command, event, step, later=1.0)
    assert lines[-1]["reason"] == ("finished" if step else "stopped")
    assert lines[-1]["step"] == step
    assert lines[-1]["full_validation_loss"] is None  # it had not been measured in full
    (checkpoint,) = RunDirectory(tmp_path / "run").resumable()
    assert checkpoint.name == f"step-{step:06d}"
    assert not invalid_file(checkpoint, read_all=True)


def test_sigterm_while_it_writes_a_sample(text_file: Path, tmp_path: Path) -> None:
    more = ("--steps", "30", "--set", "sample_tokens=4096", "--set", "checkpoint_every=5")
    command = train_command(text_file, tmp_path / "run", *more)
    lines = stopped_at(command, "checkpoint", 5, later=0.5)
    assert (lines[-1]["reason"], lines[-1]["step"]) == ("stopped", 6)  # the next step, and its checkpoint
    assert not [line for line in lines if line.get("event") == "sample"]
    names = [path.name for path in RunDirectory(tmp_path / "run").resumable()]
    assert names == ["step-000005", "step-000006"]


def test_killed_at_random_moments_no_checkpoint_is_unreadable(tmp_path: Path) -> None:
    deaths = list(kill_workers(tmp_path, times=8, seed=1, popen=forked_commands.start))
    assert [death.unreadable for death in deaths] == [0] * 8
    assert max(death.steps_lost for death in deaths) <= CHECKPOINT_EVERY
    assert deaths[-1].steps_done > CHECKPOINT_EVERY  # resumed each time, it came further
    assert any(death.within_a_save for death in deaths)


def test_a_second_worker_is_refused_and_the_first_ones_record_is_whole(
    text_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    command = train_command(text_file, folder, "--steps", "1000000")
    with forked_commands.start([sys.executable, *command], env=QUIET, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        while b'"event": "checkpoint"' not in first.stdout.readline():
            pass
        drain = threading.Thread(target=first.stdout.read)
        drain.start()
        refused = forked_commands.run([sys.executable, *command, "--resume"], env=QUIET, text=True)
        first.send_signal(signal.SIGTERM)
        drain.join()
        assert first.wait(timeout=30) == 0
    assert refused.returncode == 2
    assert "another process is training" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    events = list(RunDirectory(folder).events())
    steps = [event.step for event in events if event.kind == "step"]
    assert steps == list(range(1, len(steps) + 1))
    assert events[-1].reason == "stopped"
    assert len(events) == len((folder / "events.jsonl").read_text().splitlines())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--steps", "5", "--set", "batch_size=nan"], "batch_size must be a number"),
        (["--steps", "5", "--set", "batch_size"], "--set must be name=value"),
        (["--steps", "5", "--minutes", "1"], "not both"),
        (["--steps", "5", "--set", "mixed_precision=fp16"], "no, bf16 or auto without a GPU"),
        (["--steps", "5", "--set", "validation_fraction=0"], "validation_fraction must be at least 0.001"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    text_file: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    words = [sys.executable, *train_command(text_file, tmp_path / "run", *arguments)]
    done = forked_commands.run(words, env=QUIET, text=True, timeout=120)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()
