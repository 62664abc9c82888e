"""The card that goes with an exported run: what made it, and how far it came."""

from aigc_demo.studio.run_watch import RunView


def export_card(view: RunView) -> str:
    """README.md of an exported run.

    Args:
        view: of the run, with its record read.

    Returns:
        Markdown: the command, the figures, and what the file may be used for.
    """
    lines = [f"# {view.state.name}", "", f"A run of the recipe `{view.recipe}`, {view.state.step} steps."]
    if view.command:
        lines += ["", "Trained with:", "", "```", view.command, "```"]
    if view.best is not None:
        step, loss = view.best
        lines += ["", f"Best validation loss: {loss:.4f} nats a token, at step {step}."]
    if view.validation_loss is not None:
        lines += [f"Last validation loss: {view.validation_loss:.4f} nats a token."]
    if view.facts.get("num_parameters"):
        lines += [f"Parameters: {view.facts['num_parameters']}."]
    lines += [
        f"Seconds of training: {view.seconds:.0f}.",
        "",
        "The model is in the last checkpoint; it can be loaded, and gone on from with `--init`. The state of",
        "the optimizer is not in this file, so the run cannot be resumed.",
    ]
    return "\n".join(lines) + "\n"
