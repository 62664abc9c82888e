"""A stand-in for the command line's worker: it takes steps of nothing, and stops and fails as told.

python queue_worker.py train RECIPE --data SOURCE --run-dir DIR --steps N ... --set mode=MODE
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from aigc_demo.core.errors import InputError
from aigc_demo.core.events import RunFinished, StepDone
from aigc_demo.core.process.worker import worker_lock, write_heartbeat, write_problem
from aigc_demo.core.run_directory import RunDirectory


def main() -> None:
    arguments = dict(zip(sys.argv[3::2], sys.argv[4::2], strict=False))
    folder, steps, mode = Path(arguments["--run-dir"]), int(arguments["--steps"]), arguments.get("--set", "")
    stop, run = threading.Event(), RunDirectory(folder)
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    if mode == "mode=refuses":
        write_problem(InputError("unknown_source", name="nowhere"))
        sys.exit(2)
    with worker_lock(folder):
        if not run.exists():
            run.create({"recipe": sys.argv[2], "steps": steps})
        step = max((event.step for event in run.events()), default=0)
        while step < steps and not stop.is_set():
            step += 1
            run.append(StepDone(step=step, loss=1 / step))
            if mode == "mode=dies" and step == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            if mode == "mode=explodes" and step == 3:
                run.append(RunFinished(step=step, reason="non-finite"))
                sys.exit(1)
            if mode == "mode=hangs" and step == 3:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(60)
            write_heartbeat(folder)
            time.sleep(0.02)
        save(run, step)
        run.append(RunFinished(step=step, reason="stopped" if stop.is_set() else "finished"))


def save(run: RunDirectory, step: int) -> None:
    beside = run.begin_checkpoint(step)
    (beside / "state").mkdir()
    (beside / "state" / "step").write_text(str(step))
    run.finish_checkpoint(step)


main()
