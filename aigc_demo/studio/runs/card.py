"""The card that goes with an exported run: what made it, and how far it came."""

from aigc_demo.core.files.manifest import step_of
from aigc_demo.studio.runs.watch import RunView


def export_card(view: RunView) -> str:
    """README.md of an exported run.

    Args:
        view: of the run.

    Returns:
        Markdown: the command, the figures, and what the file may be used for.

    Raises:
        InputError: the run has no whole checkpoint yet.
    """
    from aigc_demo.training.model_card import run_card

    return run_card(view.state.name, view.run, step_of(view.run.checkpoint()))
