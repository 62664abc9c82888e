"""Serve the page as a Space whose disk holds a run that does not answer.

It is started by `python -m tests.ui.serving.slow_page DIR`.

The run `slow` in DIR/runs waits for as long as there is a file DIR/held; `quick` answers.
"""

import os
import sys
import time
from pathlib import Path

from aigc_demo.core.events import RunFinished, StepDone
from aigc_demo.core.run_directory import RunDirectory
from tests.studio.slow_disk import SlowDisk

LONGEST_SECONDS = 120


def make_run(path):
    run = RunDirectory(path)
    run.create({"recipe": "gpt", "steps": 2, "settings": {}})
    for step in (1, 2):
        run.append(StepDone(step, 3.0 / step, {"seconds": step}))
    run.append(RunFinished(2, "finished"))


def main():
    folder = Path(sys.argv[1])
    runs, held = folder / "runs", folder / "held"
    make_run(runs / "slow")
    make_run(runs / "quick")
    held.touch()

    def wait():
        end = time.monotonic() + LONGEST_SECONDS
        while held.exists() and time.monotonic() < end:
            time.sleep(0.02)

    os.environ["AIGC_DEMO_RUNS"], os.environ["SPACE_ID"] = str(runs), "owner/name"
    SlowDisk([runs / "slow"], wait).install()
    from aigc_demo.ui.app import new_studio, serve

    def load(name, report):
        raise LookupError("no models here")

    serve(new_studio(load=load))


if __name__ == "__main__":
    main()
