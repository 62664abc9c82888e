"""Format, lint, types and import contracts: everything short of the tests, in one command.

`python check.py` reports, `python check.py --fix` first lets ruff repair what it can.
Contributors, the pre-commit hook and CI all run this file.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent

FIXES = (
    ("ruff", "check", "--fix", "--quiet", "."),
    ("ruff", "format", "--quiet", "."),
)
CHECKS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("importlinter",),
)


def run(tool: str, *arguments: str) -> bool:
    """Whether a tool of this Python's environment is content; what it says goes to the screen."""
    print(f"== {' '.join((tool, *arguments))}", flush=True)
    if tool == "importlinter":  # a package without __main__: its command is a function
        starter = ["-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-logo"]
    else:
        starter = ["-m", tool]
    # import-linter looks for the package on the path: the clone, not the place it was started from.
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *starter, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def main() -> int:
    """Run every check, also after one has failed, and return the exit status."""
    if "--fix" in sys.argv[1:]:
        for command in FIXES:
            run(*command)
    failed = [command[0] + " " + " ".join(command[1:2]) for command in CHECKS if not run(*command)]
    print("All checks passed." if not failed else f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
