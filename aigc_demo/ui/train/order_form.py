"""The form of the tab Train: what is to be trained, on what, from where and how long; tried, then started."""

from collections.abc import Iterator, Sequence
from dataclasses import Field, dataclass, fields
from typing import Any

import gradio as gr

from aigc_demo.core.errors import InputError
from aigc_demo.core.seeds import MAX_SEED
from aigc_demo.data.sources import IMAGES, TEXT, TINY_WORLD
from aigc_demo.studio.models.catalog import Catalog
from aigc_demo.studio.runs.order import (
    MAX_MINUTES,
    MOST,
    RunOrder,
    checked_images,
    checked_upload,
)
from aigc_demo.studio.runs.preflight import try_order
from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.storage import lost_at_restart
from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.studio.visitors.training_switch import training_is_on
from aigc_demo.training.recipes import RECIPES, recipe_named
from aigc_demo.ui import notices
from aigc_demo.ui.frame import CHEAP, PRIVATE, Frame, in_group
from aigc_demo.ui.language import word
from aigc_demo.ui.model_picker import picker_choices
from aigc_demo.ui.train import view
from aigc_demo.ui.widgets import errors_as_toasts, spans, widget
from aigc_demo.ui.words.wording import WORDS

# A trial takes the whole machine for a few seconds: one at a time.
TRIAL: dict[str, Any] = {**PRIVATE, **in_group("trial")}
STEPS: dict[str, float] = {
    "hidden_size": 32,
    "context_length": 8,
    "learning_rate": 0.0001,
    "dropout": 0.05,
    "num_features": 4,
    "width": 4,
    "ema_decay": 0.001,
    "r1_gamma": 0.1,
    "crop": 0.025,
    "colour": 0.05,
}
LOWEST: dict[str, float] = {"hidden_size": 32, "learning_rate": 0.0001, "num_features": 4, "width": 4}
HIGHEST: dict[str, float] = {"learning_rate": 0.02, "dropout": 0.5, "r1_gamma": 20, "ema_decay": 0.999}
FROM_NOTHING, OWN = "", "own"
FIRST = next(iter(RECIPES))
# What a recipe that learns from images is asked beside its own settings: which, and how they are varied.
VARIED = ("pictures", "crop", "flip", "colour", "diff_augment")


def offered(recipe: str) -> tuple[str, ...]:
    """The settings that the form shows for a recipe, each once."""
    known = {item.name for item in fields(recipe_named(recipe).settings)}
    more = VARIED if recipe_named(recipe).learns_from == IMAGES else ()
    return tuple(dict.fromkeys([*recipe_named(recipe).asked, *(name for name in more if name in known)]))


# Of all recipes together: each has a component, seen where the recipe has such a setting.
OFFERED = tuple(dict.fromkeys(name for recipe in RECIPES for name in offered(recipe)))


@dataclass(frozen=True)
class OrderForm:
    """The components of an order."""

    recipe: Any
    source: Any
    file: Any
    images: Any
    init: Any
    kind: Any
    amount: Any
    seed: Any
    shared: Any
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
            self.images,
            self.init,
            self.kind,
            self.amount,
            self.seed,
            self.shared,
            *self.asked,
        ]


def build_order_form(queue: RunQueue, catalog: Catalog, frame: Frame) -> OrderForm:
    """Lay out the form and connect all of it but Start.

    Args:
        queue: where the run will be.
        catalog: models to go on from.
        frame: of the tab.
    """
    form, notice, figures = _layout(queue.limits, lost=lost_at_restart(queue.folder))

    def offer(recipe: Any) -> Any:
        choices = picker_choices(catalog.starting_points(recipe))
        return gr.update(choices=[(word("from_nothing"), FROM_NOTHING), *choices])

    def offer_anew(recipe: Any) -> Any:
        return gr.update(**{**offer(recipe), "value": FROM_NOTHING})

    def attempt(request: gr.Request, *values: Any) -> Iterator[tuple[Any, Any]]:
        """Try a few steps of what the form says."""
        with errors_as_toasts(request):
            order, _ = checked_order(catalog, values)
            queue.check_size(order)
            for found in try_order(order, queue.folder, queue.bounds()):
                if found is None:  # somebody who leaves meanwhile closes this, and the trial ends
                    yield notices.notice("trial_begins"), None
                else:
                    yield view.trial(found, queue.busy()), view.trial_figures(found)

    uploads = [form.file, form.images]
    gr.on(
        [form.source.change, form.recipe.change], seen_uploads, [form.recipe, form.source], uploads, **CHEAP
    )
    form.recipe.change(source_choices, form.recipe, form.source, **CHEAP)
    form.kind.change(lambda value: 3 if value == "minutes" else 500, form.kind, form.amount, **CHEAP)
    form.recipe.change(offer_anew, form.recipe, form.init, **CHEAP)
    gr.on([frame.page.load, frame.tab.select, form.init.focus], offer, form.recipe, form.init, **CHEAP)
    before = gr.State(FIRST)
    form.recipe.change(starts_of, [form.recipe, before], [before, *form.asked], **CHEAP)
    form.init.change(
        lambda recipe, init: [
            gr.update(interactive=not (init and name in recipe_named(recipe).shape)) for name in OFFERED
        ],
        [form.recipe, form.init],
        form.asked,
        **CHEAP,
    )
    form.trial.click(attempt, form.all, [notice, figures], trigger_mode="once", **TRIAL)
    return form


def checked_order(catalog: Catalog, values: Sequence[Any]) -> tuple[RunOrder, bool]:
    """An order from what the form says, in the order of `OrderForm.all`, and whether others may see the run.

    Raises:
        InputError: something of it does not fit.
    """
    recipe, source, text, images, init, kind, amount, seed, shared, *asked = values
    found = recipe_named(recipe)
    from_text = found.learns_from == TEXT
    own = source == OWN
    if own and (text if from_text else images) is None:
        raise InputError("no_upload")
    given = dict(zip(OFFERED, asked, strict=True))
    settings = {name: given[name] for name in offered(recipe)}
    if init:  # the model's own shape holds
        settings = {name: value for name, value in settings.items() if name not in found.shape}
    order = RunOrder(
        recipe,
        text=checked_upload(text) if own and from_text else None,
        images=checked_images(images) if own and not from_text else None,
        minutes=amount if kind == "minutes" else None,
        steps=amount if kind != "minutes" else None,
        seed=seed,
        settings=settings,
        init=catalog.starting_point(recipe, init) if init else None,
    )
    return order, shared is True


def _layout(limits: Limits, *, lost: bool) -> tuple[OrderForm, Any, Any]:
    gr.Markdown(word("train_intro"), elem_classes="intro")
    recipe = gr.Dropdown(
        [(word(f"recipe_{name}"), name) for name in RECIPES],
        value=FIRST,
        label=word("recipe"),
        filterable=False,
        elem_id="recipe",
    )
    source = gr.Radio(
        _sources(FIRST),
        value=TINY_WORLD,
        label=word("source"),
        elem_id="source",
    )
    file = gr.File(label=word("own_text"), file_types=[".txt"], visible=False, elem_id="own-text", height=150)
    images = gr.File(
        label=word("own_pictures_zip"), file_types=[".zip"], visible=False, elem_id="own-pictures", height=150
    )
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
        asked = [_asked(name) for name in OFFERED]
        seed = gr.Number(1, label=word("seed"), precision=0, minimum=0, maximum=MAX_SEED)
    shared = share_switch(limits, "share-run")
    with gr.Row(elem_classes="actions"):
        on = training_is_on()
        trial = gr.Button(word("trial"), elem_id="trial", min_width=120, interactive=on)
        start = gr.Button(word("start"), variant="primary", elem_id="start", min_width=120, interactive=on)
    off = InputError("training_off")
    notice = widget("notice", notices.notice() if on else notices.refusal(off), elem_id="trial-notice")
    figures = widget("facts", None, elem_id="trial-figures")
    if lost:
        gr.Markdown(word("space_disk"), elem_classes="intro", elem_id="space-disk")
    gr.HTML(_limits_words(limits), elem_id="train-limits", elem_classes="intro", apply_default_css=False)
    return (
        OrderForm(recipe, source, file, images, init, kind, amount, seed, shared, asked, trial, start),
        notice,
        figures,
    )


def _limits_words(limits: Limits) -> str:
    """What this host gives, in all languages."""
    return spans(
        "train_limits",
        "p",
        minutes=min(MAX_MINUTES, limits.run_minutes),
        runs=limits.runs_per_visitor or "∞",
        disk=limits.disk_mib_per_visitor or "∞",
    )


def share_switch(limits: Limits, elem_id: str) -> Any:
    """Whether others may see a run; at first as the host says."""
    return gr.Checkbox(
        limits.share_runs, label=word("share_run"), info=word("share_run_info"), elem_id=elem_id
    )


def seen_uploads(recipe: str, source: str) -> list[Any]:
    """Which of the two uploads is seen: that of a text, or that of images."""
    kind = recipe_named(recipe).learns_from
    return [gr.update(visible=source == OWN and kind == one) for one in (TEXT, IMAGES)]


def source_choices(recipe: str) -> Any:
    """What a recipe can learn from."""
    return gr.update(choices=_sources(recipe))


def _sources(recipe: str) -> list[tuple[Any, str]]:
    if recipe_named(recipe).learns_from == TEXT:
        return [(word("source_tiny"), TINY_WORLD), (word("source_own"), OWN)]
    return [(word("source_drawn"), TINY_WORLD), (word("source_own_pictures"), OWN)]


def starts_of(recipe: str, before: str) -> list[Any]:
    """The settings of another recipe in place of those of the one before.

    Where both start alike, a setting stays as the visitor left it.
    """
    was, now = _starts(before), _starts(recipe)
    updates: list[Any] = [recipe]
    for name in OFFERED:
        if name not in offered(recipe):
            updates.append(gr.update(visible=False))
            continue
        same = name in offered(before) and was[name] == now[name]
        value = {} if same else {"value": now[name]}
        updates.append(gr.update(visible=True, **_shape(recipe, name), **value))
    return updates


def _starts(recipe: str) -> dict[str, Any]:
    complete = recipe_named(recipe).complete(recipe_named(recipe).small)
    return {name: _plain(getattr(complete, name)) for name in offered(recipe)}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _asked(name: str) -> Any:
    """One setting, by what its field says of itself in the first recipe that has it."""
    recipe = next(recipe for recipe in RECIPES if name in offered(recipe))
    start, item = _starts(recipe)[name], _field(recipe, name)
    common = {
        **_shape(recipe, name),
        "value": start,
        "visible": name in offered(FIRST),
        "elem_id": f"setting-{name}",
    }
    if item.metadata["choices"]:
        if isinstance(start, list):
            return gr.CheckboxGroup(**common)
        return gr.Dropdown(**common, filterable=False)
    if isinstance(start, bool):
        return gr.Checkbox(**common)
    return gr.Slider(**common)


def _shape(recipe: str, name: str) -> dict[str, Any]:
    """Label, and choices or bounds, of a setting in one recipe."""
    label = word(_label_key(recipe, name))
    facts, start = _field(recipe, name).metadata, _starts(recipe)[name]
    if facts["choices"]:
        return {"label": label, "choices": [(_choice(name, one), one) for one in facts["choices"]]}
    if isinstance(start, bool):
        return {"label": label}
    return {
        "label": label,
        "minimum": LOWEST.get(name, facts["low"]),
        "maximum": max(start, HIGHEST.get(name, MOST.get(name, facts["high"]))),
        "step": STEPS.get(name, 1),
    }


def _label_key(recipe: str, name: str) -> str:
    """The key of a setting's name; some have another one in recipes that learn from images."""
    of_images = f"setting_pictures_{name}"
    learns_from_images = recipe_named(recipe).learns_from == IMAGES
    return of_images if learns_from_images and of_images in WORDS else f"setting_{name}"


def _choice(name: str, choice: Any) -> Any:
    """How a choice is called; a number is called what it is."""
    return word(f"choice_{name}_{choice}") if isinstance(choice, str) else str(choice)


def _field(recipe: str, name: str) -> Field[Any]:
    return next(item for item in fields(recipe_named(recipe).settings) if item.name == name)
