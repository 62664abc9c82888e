"""The step-by-step GAN: one step at a time with its numbers, and twins that differ in the loss alone."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.nets.options import GAN_LOSSES
from aigc_demo.studio.images.step_by_step_gan import (
    TIMES,
    GanState,
    StepByStepSessions,
    StepRequest,
    TwinState,
)
from aigc_demo.ui.frame import in_group, page_ticket
from aigc_demo.ui.gan import step_by_step_view
from aigc_demo.ui.language import word
from aigc_demo.ui.widgets import errors_as_toasts, widget

PRESSED: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "minimal",
    "trigger_mode": "once",
    **in_group("step_by_step"),
}
RATE_STEP = 0.0001
DEFAULT = StepRequest()


def build_step_by_step(sessions: StepByStepSessions) -> None:
    """Lay out the panel and connect it; called inside an accordion or a tab.

    Args:
        sessions: the GANs of all visitors.
    """
    handlers, ticket = StepByStepHandlers(sessions), page_ticket()
    gr.Markdown(word("step_by_step_intro"), elem_classes="intro")
    request = _asked()
    buttons, shown = _panel()
    twin_times, twin_buttons, twins = _twins()
    given = [ticket, request.times, request.loss, *request.rates, request.seed]
    keep = {**PRESSED, "outputs": shown, "show_progress_on": shown[:1]}
    buttons["discriminator"].click(handlers.step_discriminator, given, **keep)
    buttons["generator"].click(handlers.step_generator, given, **keep)
    buttons["both"].click(handlers.step_both, given, **keep)
    buttons["new"].click(handlers.new_gan, [ticket, request.loss, request.seed], **keep)
    given = [ticket, twin_times, *request.rates, request.seed]
    twin_buttons["step"].click(handlers.step_twins, given, twins, **PRESSED)
    twin_buttons["new"].click(handlers.new_twins, [ticket, request.seed], twins, **PRESSED)


# ---- layout


@dataclass(frozen=True)
class Asked:
    """The components that say how to train."""

    loss: Any
    rates: list[Any]
    seed: Any
    times: Any


def _asked() -> Asked:
    # Numbers without bounds here: the studio's own refusal is a sentence in the reader's language.
    with gr.Row(elem_classes="step-by-step-asked"):
        loss = gr.Radio(
            [(word(f"step_by_step_loss_{loss.replace('-', '_')}"), loss) for loss in GAN_LOSSES],
            value=DEFAULT.loss,
            label=word("step_by_step_loss"),
            info=word("step_by_step_loss_info"),
            elem_id="step-by-step-loss",
        )
        rates = [
            gr.Number(
                getattr(DEFAULT, name),
                label=word(f"step_by_step_{name}"),
                info=word("step_by_step_rate_info"),
                step=RATE_STEP,
                elem_id=f"step-by-step-{name.replace('_', '-')}",
            )
            for name in ("generator_rate", "discriminator_rate")
        ]
        seed = gr.Number(
            DEFAULT.seed,
            label=word("seed"),
            info=word("step_by_step_seed_info"),
            precision=0,
            elem_id="step-by-step-seed",
        )
        times = _times("step-by-step-times")
    return Asked(loss, rates, seed, times)


def _times(elem_id: str) -> Any:
    choices = [(f"×{number}", number) for number in TIMES]
    return gr.Radio(choices, value=TIMES[0], label=word("step_by_step_times"), elem_id=elem_id)


def _panel() -> tuple[dict[str, Any], list[Any]]:
    with gr.Row(elem_classes="step-by-step-buttons"):
        buttons = {
            updates: gr.Button(
                word(f"step_by_step_step_{updates}"), variant=variant, elem_id=f"step-by-step-{updates}"
            )
            for updates, variant in (
                ("discriminator", "secondary"),
                ("generator", "secondary"),
                ("both", "primary"),
            )
        }
        buttons["new"] = gr.Button(word("step_by_step_new"), elem_id="step-by-step-new")
    formula = gr.Markdown(
        step_by_step_view.formulas(None),
        latex_delimiters=[{"left": "$$", "right": "$$", "display": True}],
        elem_id="step-by-step-formula",
        elem_classes="step-by-step-formula",
    )
    board = widget(
        "step_by_step",
        step_by_step_view.board(None),
        elem_id="step-by-step-board",
        elem_classes="step-by-step-view",
    )
    course = widget(
        "plots",
        step_by_step_view.course(None),
        elem_id="step-by-step-course",
        elem_classes="step-by-step-view",
    )
    return buttons, [formula, board, course]


def _twins() -> tuple[Any, dict[str, Any], Any]:
    with gr.Accordion(word("twins"), open=False, elem_id="twins"):
        gr.Markdown(word("twins_intro"), elem_classes="intro")
        times = _times("twins-times")
        with gr.Row(elem_classes="step-by-step-buttons"):
            buttons = {
                "step": gr.Button(word("twins_step"), variant="primary", elem_id="twins-step"),
                "new": gr.Button(word("twins_new"), elem_id="twins-new"),
            }
        plots = widget(
            "plots", step_by_step_view.twins(None), elem_id="twins-plots", elem_classes="step-by-step-view"
        )
    return times, buttons, plots


# ---- handlers


class StepByStepHandlers:
    """What a press leads to. The ticket is a secret that the server made for one opened page (gr.State).

    Args:
        sessions: the GANs of all visitors.
    """

    def __init__(self, sessions: StepByStepSessions):
        self._sessions = sessions

    def new_gan(self, request: gr.Request, ticket: str, loss: Any, seed: Any) -> tuple[Any, ...]:
        """A GAN before its first step."""
        with errors_as_toasts(request):
            return _shown(self._sessions.reset(ticket, seed, loss))

    def step_discriminator(self, request: gr.Request, ticket: str, *values: Any) -> tuple[Any, ...]:
        """D is updated alone."""
        return self._step(request, ticket, "discriminator", values)

    def step_generator(self, request: gr.Request, ticket: str, *values: Any) -> tuple[Any, ...]:
        """G is updated alone."""
        return self._step(request, ticket, "generator", values)

    def step_both(self, request: gr.Request, ticket: str, *values: Any) -> tuple[Any, ...]:
        """D is updated, then G."""
        return self._step(request, ticket, "both", values)

    def _step(
        self, request: gr.Request, ticket: str, updates: str, values: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        names = ("times", "loss", "generator_rate", "discriminator_rate", "seed")
        with errors_as_toasts(request):
            request = dict(zip(names, values, strict=True))
            return _shown(self._sessions.step(ticket, updates=updates, **request))

    def new_twins(self, request: gr.Request, ticket: str, seed: Any) -> Any:
        """Twins before their first step: the curves, and nobody on them."""
        with errors_as_toasts(request):
            return _twins_shown(self._sessions.reset_twins(ticket, seed))

    def step_twins(self, request: gr.Request, ticket: str, *values: Any) -> Any:
        """Both twins are updated, with the same batch and the same noise."""
        names = ("times", "generator_rate", "discriminator_rate", "seed")
        with errors_as_toasts(request):
            request = dict(zip(names, values, strict=True))
            return _twins_shown(self._sessions.step_twins(ticket, **request))


def _shown(state: GanState) -> tuple[Any, ...]:
    return (
        step_by_step_view.formulas(state.inspection),
        step_by_step_view.board(state),
        step_by_step_view.course(state),
    )


def _twins_shown(state: TwinState) -> Any:
    return step_by_step_view.twins(state)
