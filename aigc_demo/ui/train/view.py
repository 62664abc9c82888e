"""What the page shows of a run beside its charts, as plain JSON in all languages."""

from typing import Any
from urllib.parse import quote

from aigc_demo.core.files.strict_json import Json
from aigc_demo.core.languages import LANGUAGES
from aigc_demo.studio.runs.run_view import RunView
from aigc_demo.studio.runs.samples import draws, sample_path
from aigc_demo.studio.runs.watch import image_key
from aigc_demo.training.recipes import RECIPES
from aigc_demo.ui.figures import duration
from aigc_demo.ui.notices import problem_words, problem_words_of
from aigc_demo.ui.words.wording import everywhere, same_everywhere, text

RATES = tuple(dict.fromkeys(recipe.rate for recipe in RECIPES.values()))
# Where `image_route` answers, relative to the page.
IMAGES_PATH = "run-pictures"


FACTS = (
    *("num_parameters", "generator_parameters", "discriminator_parameters"),
    *("train_tokens", "vocab_size", "train_pictures", "validation_pictures", "num_modes"),
    *("processor", "threads", "accelerator"),
)


def run_card(view: RunView | None, *, mine: bool = False, lost: bool = False) -> Json:
    """How a run stands, for `static/run.js`.

    Args:
        view: the run; None where there is none yet.
        mine: whether the visitor may stop and resume it.
        lost: whether a restart of the server takes it.
    """
    keys = ("run_command", "run_copy", "run_copied", "run_details", "run_empty")
    words = {key.removeprefix("run_"): everywhere(key) for key in keys}
    if view is not None and draws(view.recipe):
        words["details"] = everywhere("run_details_pictures")
    if view is None:
        return {"name": "", "words": words}
    state = view.state
    return {
        "name": state.name,
        "words": words,
        "stands": state.stands,
        "under_way": state.under_way,
        "seen_at": view.seen_at,
        "state": state_words(view),
        "owner": everywhere("run_mine" if mine else "run_others"),
        "error": problem_words(state.problem),
        "warnings": [problem_words_of(warning.key, warning.values) for warning in view.warnings[-3:]],
        "lost": everywhere("space_disk_run") if lost and not state.under_way and view.checkpoints else None,
        "share": round(view.share, 3),
        "figures": _figures(view),
        "command": view.command,
        "facts": _facts(view),
        "preparation": _preparation(view),
    }


def state_words(view: RunView) -> dict[str, str]:
    """How the run stands, in one line."""
    state = view.state
    if state.stands == "running" and not state.step:
        return everywhere("run_state_starting")
    if state.stands == "waiting" and state.place:
        return everywhere("run_state_queued", place=state.place)
    return everywhere(f"run_state_{state.stands.replace('-', '_')}", step=state.step)


def samples(view: RunView | None) -> Json:
    """Samples of a run's checkpoints, the newest first, for `static/samples.js`."""
    events = view.samples if view else ()
    kind = "run_pictures" if view and draws(view.recipe) else "samples"
    return {
        "run": view.state.name if view else "",
        "words": {"empty": everywhere(f"{kind}_empty"), "title": everywhere(f"{kind}_title")},
        "samples": [
            {
                "step": event.step,
                "title": everywhere("samples_step", step=event.step),
                "text": event.text,
                "picture": image_address(view, event.step) if view and event.file.endswith(".png") else "",
            }
            for event in reversed(events)
        ],
    }


def image_address(view: RunView, step: int) -> str:
    """Where the page finds the sheet of a step (`image_route`); "" where there is none."""
    try:
        changed = sample_path(view.run, step).stat().st_mtime_ns
    except OSError:
        return ""
    name = view.state.name
    return f"{IMAGES_PATH}/{quote(name, safe='')}/{step}.png?key={image_key(name)}&{changed}"


def trial(found: Json, busy: bool) -> Json:
    """Whether a training fits, in one line, for `static/notice.js`.

    Args:
        found: by `studio.preflight`.
        busy: whether another run trained meanwhile, so that the figures are too slow.
    """
    problem = found.get("problem")
    if problem:
        return {"bad": True, "words": problem_words_of(problem["key"], problem["values"])}
    key, long = "trial_busy" if busy else "trial_fits", duration(found["seconds"])
    words = {language: text(key, language, duration=long[language]) for language in LANGUAGES}
    return {"bad": False, "words": words}


def trial_figures(found: Json) -> Json:
    """What a training would take, for `static/facts.js`; empty where memory ran out first."""
    if found.get("seconds") is None:
        return {"figures": [], "facts": []}
    figures = [
        ("duration", duration(found["seconds"])),
        ("steps", same_everywhere(f"{found['steps']:,}")),
        ("memory", same_everywhere(f"{found['peak_memory_mib']:,.0f} MiB")),
        ("disk", same_everywhere(f"{found['disk_mib']:,.0f} MiB")),
    ]
    rate = next(name for name in RATES if name in found)
    facts = [
        ("parameters", same_everywhere(f"{found['num_parameters']:,}")),
        (rate, same_everywhere(f"{found[rate]:,.0f}")),
    ]
    named = [[{"name": everywhere(f"trial_{n}"), "value": v} for n, v in part] for part in (figures, facts)]
    return {"figures": named[0], "facts": named[1]}


def used_disk(used_bytes: int, limit_bytes: int) -> Json:
    """How much of the disk a visitor's runs take, for `static/notice.js`."""
    used, limit = used_bytes / 2**20, limit_bytes // 2**20
    return {"bad": used_bytes >= limit_bytes, "words": everywhere("used_disk", used=used, limit=limit)}


def _figures(view: RunView) -> list[Json]:
    step = f"{view.state.step:,}" + (f" / {view.steps:,}" if view.steps else "")
    found = [("step", same_everywhere(step)), ("elapsed", duration(view.seconds))]
    if view.seconds_left is not None:
        found.append(("left", duration(view.seconds_left)))
    if view.validation_loss is not None:
        found.append(("validation", same_everywhere(f"{view.validation_loss:.3f}")))
    if view.best is not None:
        found.append(("best", everywhere("best_at", loss=view.best[1], step=view.best[0])))
    return [{"name": everywhere(f"figure_{name}"), "value": value} for name, value in found]


def _facts(view: RunView) -> list[Json]:
    """Sizes and machine, of those that the event of the start has."""
    machine = view.facts.get("machine")
    known = {**view.facts, **(machine if isinstance(machine, dict) else {})}
    return [
        {"name": everywhere(f"run_fact_{name}"), "value": same_everywhere(_number(known[name]))}
        for name in FACTS
        if isinstance(known.get(name), (int, float, str)) and known[name] != ""
    ]


def _preparation(view: RunView) -> list[Json]:
    steps = view.facts.get("preparation")
    found = []
    for step in steps if isinstance(steps, list) else []:
        name = step.get("name") if isinstance(step, dict) else None
        if name in ("read", "clean", "drop_lines", "split", "tokenise", "encode", "pairs"):
            key = {"encode": "prepared_tokens", "pairs": "prepared_pairs"}.get(name, "prepared")
            key = "prepared_pictures" if draws(view.recipe) else key
            values = {"kept": _number(step.get("kept")), "dropped": _number(step.get("dropped"))}
            found.append({"name": everywhere(f"prepare_{name}"), "value": everywhere(key, **values)})
            encoding = facts.get("encoding") if isinstance(facts := step.get("facts"), dict) else None
            if isinstance(encoding, str):
                found.append(
                    {"name": everywhere("prepare_encoding"), "value": same_everywhere(encoding[:80])}
                )
    return found


def _number(value: Any) -> str:
    return (
        f"{value:,}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)[:80]
    )
