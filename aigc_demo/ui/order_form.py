"""The form of the tab Train: what is to be trained, on what, from where and how long; tried, then started."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from aigc_demo.core.errors import InputError
from aigc_demo.studio.catalog import Catalog
from aigc_demo.studio.preflight import try_order
from aigc_demo.studio.run_desk import RunDesk
from aigc_demo.studio.run_order import MAX_MINUTES, MAX_SEED, MOST, RunOrder, checked_upload
from aigc_demo.training.recipes import RECIPES, recipe_named
from aigc_demo.ui import run_view
from aigc_demo.ui.columns import picker_choices
from aigc_demo.ui.frame import Frame
from aigc_demo.ui.language import word
from aigc_demo.ui.widgets import door, widget

CHEAP: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "concurrency_limit": None,
}
# A trial takes the whole machine for a few seconds: one at a time.
TRIAL: dict[str, Any] = {**CHEAP, "concurrency_limit": 1, "concurrency_id": "trial"}
STEPS: dict[str, float] = {"hidden_size": 32, "context_length": 8, "learning_rate": 0.0001, "dropout": 0.05}
LOWEST: dict[str, float] = {"hidden_size": 32, "learning_rate": 0.0001}
HIGHEST: dict[str, float] = {"learning_rate": 0.02, "dropout": 0.5}
FROM_NOTHING = ""


@dataclass(frozen=True)
class OrderForm:
    """The components of an order."""

    recipe: Any
    source: Any
    file: Any
    init: Any
    kind: Any
    amount: Any
    seed: Any
    asked: list[Any]
    trial: Any
    start: Any

    @property
    def all(self) -> list[Any]:
        """In the order in which `checked_order` takes them."""
        return [
            self.recipe,
            self.source,
            self.file,
            self.init,
            self.kind,
            self.amount,
            self.seed,
            *self.asked,
        ]


def build_order_form(desk: RunDesk, catalog: Catalog, frame: Frame) -> OrderForm:
    """Lay out the form and connect all of it but Start.

    Args:
        desk: where the run will be.
        catalog: models to go on from.
        frame: of the tab.
    """
    form, notice, figures = _layout()

    def offer(recipe: Any) -> Any:
        choices = picker_choices(catalog.starting_points(recipe))
        return gr.update(choices=[(word("from_nothing"), FROM_NOTHING), *choices])

    def offer_anew(recipe: Any) -> Any:
        return gr.update(**{**offer(recipe), "value": FROM_NOTHING})

    def attempt(request: gr.Request, *values: Any) -> Iterator[tuple[Any, Any]]:
        """Try a few steps of what the form says."""
        with door(request):
            order = checked_order(catalog, values)
            yield run_view.notice("trial_begins"), None
            found = try_order(order, desk.folder)
            yield run_view.trial(found, desk.busy()), run_view.trial_figures(found)

    form.source.change(lambda value: gr.update(visible=value == "own"), form.source, form.file, **CHEAP)
    form.kind.change(lambda value: 3 if value == "minutes" else 500, form.kind, form.amount, **CHEAP)
    form.recipe.change(offer_anew, form.recipe, form.init, **CHEAP)
    gr.on([frame.page.load, frame.tab.select, form.init.focus], offer, form.recipe, form.init, **CHEAP)
    form.recipe.change(starts_of, form.recipe, form.asked, **CHEAP)
    form.init.change(
        lambda init: [gr.update(interactive=not init) for _ in _own(form)], form.init, _own(form), **CHEAP
    )
    form.trial.click(attempt, form.all, [notice, figures], trigger_mode="once", **TRIAL)
    return form


def checked_order(catalog: Catalog, values: Sequence[Any]) -> RunOrder:
    """An order from what the form says, in the order of `OrderForm.all`.

    Raises:
        InputError: something of it does not fit.
    """
    recipe, source, path, init, kind, amount, seed, *asked = values
    if source != "tiny-world" and path is None:
        raise InputError("no_upload")
    found = recipe_named(recipe)
    settings = dict(zip(found.asked, asked, strict=True))
    if init:  # the model's own shape holds
        settings = {name: value for name, value in settings.items() if name not in found.shape}
    return RunOrder(
        recipe,
        text=checked_upload(path) if source != "tiny-world" else None,
        minutes=amount if kind == "minutes" else None,
        steps=amount if kind != "minutes" else None,
        seed=seed,
        settings=settings,
        init=catalog.starting_point(recipe, init) if init else None,
    )


def _layout() -> tuple[OrderForm, Any, Any]:
    gr.Markdown(word("train_intro"), elem_classes="intro")
    recipe = gr.Dropdown(
        [(word(f"recipe_{name}"), name) for name in RECIPES],
        value="gpt",
        label=word("recipe"),
        filterable=False,
        elem_id="recipe",
    )
    source = gr.Radio(
        [(word("source_tiny"), "tiny-world"), (word("source_own"), "own")],
        value="tiny-world",
        label=word("source"),
        elem_id="source",
    )
    file = gr.File(label=word("own_text"), file_types=[".txt"], visible=False, elem_id="own-text", height=120)
    init = gr.Dropdown(
        [(word("from_nothing"), FROM_NOTHING)],
        value=FROM_NOTHING,
        label=word("go_on_from"),
        filterable=False,
        elem_id="init",
    )
    with gr.Row(elem_classes="pair"):
        kind = gr.Radio(
            [(word("budget_minutes"), "minutes"), (word("budget_steps"), "steps")],
            value="minutes",
            label=word("budget"),
            elem_id="budget",
            min_width=120,
        )
        amount = gr.Number(3, label=word("amount"), minimum=0, elem_id="amount", min_width=100)
    with gr.Accordion(word("settings"), open=False, elem_id="train-settings"):
        asked = [_asked(name) for name in RECIPES["gpt"].asked]
        seed = gr.Number(1, label=word("seed"), precision=0, minimum=0, maximum=MAX_SEED)
    with gr.Row(elem_classes="actions"):
        trial = gr.Button(word("trial"), elem_id="trial", min_width=120)
        start = gr.Button(word("start"), variant="primary", elem_id="start", min_width=120)
    notice = widget("notice", run_view.notice(), elem_id="trial-notice")
    figures = widget("facts", None, elem_id="trial-figures")
    gr.Markdown(word("train_limits"), elem_classes="intro")
    assert MAX_MINUTES == 60, "train_limits names it"
    return OrderForm(recipe, source, file, init, kind, amount, seed, asked, trial, start), notice, figures


def _own(form: OrderForm) -> list[Any]:
    """The settings that a model which is gone on from brings itself."""
    recipe = RECIPES["gpt"]
    return [part for name, part in zip(recipe.asked, form.asked, strict=True) if name in recipe.shape]


def starts_of(recipe: str) -> list[Any]:
    """Where the settings start for another recipe; those that start alike stay as the visitor left them."""
    starts = {name: one.complete(one.small) for name, one in RECIPES.items()}
    return [
        gr.update(value=getattr(starts[recipe], name))
        if len({getattr(settings, name) for settings in starts.values()}) > 1
        else gr.skip()
        for name in RECIPES["gpt"].asked
    ]


def _asked(name: str) -> Any:
    """One setting, by what its field says of itself."""
    gpt = RECIPES["gpt"]
    item = next(item for item in fields(gpt.settings) if item.name == name)
    label, start, facts = word(f"setting_{name}"), getattr(gpt.complete(gpt.small), name), item.metadata
    if facts["choices"]:
        choices = [(word(f"choice_{name}_{choice}"), choice) for choice in facts["choices"]]
        return gr.Dropdown(choices, value=start, label=label, filterable=False, elem_id=f"setting-{name}")
    high = HIGHEST.get(name, MOST.get(name, facts["high"]))
    return gr.Slider(
        LOWEST.get(name, facts["low"]),
        high,
        start,
        step=STEPS.get(name, 1),
        label=label,
        elem_id=f"setting-{name}",
    )
