"""A stand-in for the command line's worker that tells a whole story: curves, samples, checkpoints.

python page_worker.py train RECIPE --data SOURCE --run-dir DIR --steps N|--minutes M ...
"""

import signal
import sys
import threading
from pathlib import Path

from aigc_demo.core.events import (
    CheckpointSaved,
    RunFinished,
    RunStarted,
    SampleReady,
    StepDone,
    ValidationDone,
)
from aigc_demo.core.process.worker import worker_lock, write_heartbeat
from aigc_demo.core.run_directory import RunDirectory

STEP_SECONDS = 0.02
FACTS = {
    "num_parameters": 831_360,
    "machine": {"processor": "an abacus", "threads": 2},
    "preparation": [
        {"name": "read", "kept": 1200, "dropped": 0, "facts": {}},
        {"name": "encode", "kept": 300, "dropped": 4, "facts": {}},
    ],
}


def main() -> None:
    words = sys.argv[3:]
    arguments = {word: words[place + 1] for place, word in enumerate(words) if word.startswith("--") and
                 place + 1 < len(words)}  # fmt: skip
    settings = dict(words[place + 1].split("=", 1) for place, word in enumerate(words) if word == "--set")
    steps, stop = int(arguments.get("--steps", 5000)), threading.Event()
    run = RunDirectory(Path(arguments["--run-dir"]))
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    with worker_lock(run.path):
        if not run.exists():
            data = {"name": Path(arguments["--data"]).name}
            run.create({"recipe": sys.argv[2], "steps": steps, "settings": settings, "data": data})
        step = max((event.step for event in run.events()), default=0)
        run.append(RunStarted(step=step, facts=FACTS))
        while step < steps and not stop.wait(STEP_SECONDS):
            step += 1
            metrics = {"learning_rate": 1e-3, "gradient_norm": 1 + 1 / step, "tokens_per_second": 900 + step}
            run.append(StepDone(step, 5 / step**0.3, {**metrics, "seconds": step * STEP_SECONDS}))
            if step % 10 == 0:
                run.append(ValidationDone(step, 5.2 / step**0.3))
            if step % 25 == 0:
                save(run, step)
            write_heartbeat(run.path)
        save(run, step)
        run.append(RunFinished(step, "stopped" if stop.is_set() else "finished"))


def save(run: RunDirectory, step: int) -> None:
    beside = run.begin_checkpoint(step)
    (beside / "state").mkdir()
    (beside / "state" / "step").write_text(str(step))
    (beside / "config.json").write_text("{}")
    run.finish_checkpoint(step)
    run.append(CheckpointSaved(step, f"checkpoints/step-{step:06d}"))
    run.append(SampleReady(step, f"Once <b>upon</b> ${{step}} {step}."))


main()
