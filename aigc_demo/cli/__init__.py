"""The command line: one module for each group of commands; only `output` prints."""

from aigc_demo.cli.commands import app as app
from aigc_demo.cli.commands import main as main
