"""The command line: the same use cases as the page, for terminals, scripts and the page's own workers."""

import os
import sys
import tempfile
import traceback
from typing import NoReturn

import typer

from aigc_demo.cli.generate import compare, evaluate, generate
from aigc_demo.cli.models import fetch, models
from aigc_demo.cli.output import print_error_and_exit, print_help
from aigc_demo.cli.runs import import_archive, publish, push, runs, save
from aigc_demo.cli.train import train
from aigc_demo.core.errors import DemoError
from aigc_demo.core.process import interrupts
from aigc_demo.core.process.console import (
    finish_printing,
    not_printed,
    prepare_console,
)
from aigc_demo.core.process.output_queue import stop_waiting
from aigc_demo.core.process.worker import write_problem

app = typer.Typer(
    help="Generative models from scratch, beside their library and pretrained peers.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def about(context: typer.Context) -> None:
    """Generative models from scratch, beside their library and pretrained peers."""
    if context.invoked_subcommand is None:
        print_help(context)


for command in (train, generate, evaluate, compare, publish, save, push, models, runs):
    app.command()(command)
app.command("import")(import_archive)
app.command()(fetch)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 for success, 2 for bad input, 1 for a failure, 130 for Ctrl-C.

    Args:
        arguments: in place of those that the process was started with.

    Raises:
        SystemExit: always; an error is one line on standard error, never a stack trace.
    """
    prepare_console()
    try:
        interrupts.raise_in_work()
        _run(arguments)
    except KeyboardInterrupt:
        interrupts.end_at_once_again()
        _interrupted()
    finally:
        interrupts.end_at_once_again()
        finish_printing()


def _run(arguments: list[str] | None) -> NoReturn:
    try:
        status = app(arguments, standalone_mode=False)
        if status == interrupts.EXIT_CODE:  # typer's word for a KeyboardInterrupt
            raise KeyboardInterrupt
        finish_printing()
        if failure := not_printed():
            raise DemoError("cannot_print", detail=failure.strerror or type(failure).__name__)
    except DemoError as error:
        write_problem(error)
        print_error_and_exit(str(error), error.exit_code)
    except typer.TyperException as error:  # an unknown option, a missing argument, a number that is none
        print_error_and_exit(f"{error.format_message()} (see --help)", error.exit_code)
    except typer.Abort:
        _interrupted()
    except Exception as error:
        if interrupts.was_interrupted():  # a library made another exception of it
            _interrupted()
        # A bug: the stack trace is for who fixes it, not for who runs into it.
        unexpected = DemoError("unexpected", detail=type(error).__name__, path=_kept_trace())
        write_problem(unexpected)
        print_error_and_exit(str(unexpected), unexpected.exit_code)
    sys.exit(status)


def _kept_trace() -> str:
    """The file that now holds the stack trace of the exception at hand."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="aigc-demo-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as log:
            traceback.print_exc(file=log)
    except OSError:  # no place for temporary files
        return os.devnull
    return log.name


def _interrupted() -> NoReturn:
    stop_waiting()
    print_error_and_exit(interrupts.SENTENCE, interrupts.EXIT_CODE)
