"""A run's curves as gradio line plots: rows in, the value of a plot out.

The value is plain data, which gradio diffs against the last one it sent: only new rows are transmitted.
"""

import math
from collections.abc import Sequence
from typing import Any

import gradio as gr

from aigc_demo.studio.runs.run_view import CHECKPOINT, SMOOTH, Row, logarithms
from aigc_demo.training.recipe import Curve
from aigc_demo.ui.language import word
from aigc_demo.ui.words.wording import WORDS, text

COLUMNS = ("step", "value", "line")
# The most charts of any recipe; those that a recipe does not need are hidden.
MOST_CHARTS = 8
_TYPES = {"step": "quantitative", "value": "quantitative", "line": "nominal"}
_TEAL, _PALE_TEAL, _PLUM, _AMBER = "#0f8f84", "#8fbdb7", "#a04fb8", "#b98a2e"
_PALE_PLUM, _BLUE = "#cfa9da", "#3b76c4"
# Fixed colours: of held-out data, and of the discriminator in adversarial training.
_COLOURS = {
    "validation": _PLUM,
    "discriminator": _PLUM,
    "fake_prob": _PLUM,
    "held_out_prob": _BLUE,
}
_PALE = {_TEAL: _PALE_TEAL, _PLUM: _PALE_PLUM}
_OVERLAID = ("#0f8f84", "#a04fb8", "#b98a2e", "#3b76c4", "#c2504a", "#6f8f2e")


def line_plot(elem_id: str) -> gr.LinePlot:
    """An empty chart, hidden until it has data.

    The browser redraws a chart when its colours change; the rendering of an empty one that is still under way
    could finish last and stay.
    """
    return gr.LinePlot(
        _plot_data([]),
        x="step",
        y="value",
        color="line",
        x_title=" ",
        y_title=" ",
        color_title=" ",
        label=word("chart_loss"),
        show_label=True,
        elem_id=elem_id,
        elem_classes="chart",
        visible=False,
    )


def chart_update(
    curve: Curve, rows: Sequence[Row], language: str, *, logarithmic: bool = False, first: bool = False
) -> dict[str, Any]:
    """The update of a line plot.

    The browser assigns colours when it first draws a chart, so each line has a row of its own first: one
    without a value, or, while the line has a single point, the end of a dash of one step, since a line from a
    point to itself is invisible. Until the first step the dash shows the loss of the untrained model.

    Args:
        curve: of the rows.
        rows: of `studio.runs.watch`.
        language: of the names, which gradio does not translate inside a chart.
        logarithmic: plot log10 of the values.
        first: whether it is the run's first chart, which also shows the checkpoints.
    """
    colours = _colours(curve) | ({CHECKPOINT: _AMBER} if first else {})
    names = {line: line_name(line, language) for line in colours}
    taken = logarithms(rows) if logarithmic else rows
    alone = _points_alone(taken)
    data: list[list[Any]] = []
    for line, name in names.items():
        step, value = alone.get(line, (0, None))
        data.append([step, _rounded(value), name])
    data += [[step, _rounded(value), names.get(line, line)] for step, value, line in taken]
    return gr.update(
        value=_plot_data(data),
        visible=bool(rows),
        label=_label(curve.name),
        x_title=text("step", language),
        y_title="log10" if logarithmic else " ",
        color_map={names[line]: colour for line, colour in colours.items()},
    )


def overlay_update(
    lines: Sequence[tuple[str, Sequence[Row]]], language: str, curve: str = "loss"
) -> dict[str, Any]:
    """The update of the chart that compares runs.

    Args:
        lines: name and rows of each run.
        language: of the names.
        curve: whose rows they are.
    """
    data: list[list[Any]] = [[0, None, name] for name, _ in lines]
    data += [[step, _rounded(value), name] for name, rows in lines for step, value, _ in rows]
    return gr.update(
        value=_plot_data(data),
        visible=bool(lines),
        label=_label(curve),
        x_title=text("step", language),
        color_map=dict(zip((name for name, _ in lines), _OVERLAID, strict=False)),
    )


def line_name(line: str, language: str) -> str:
    """A line's name in one language; its key where it has no words."""
    key = f"line_{line}"
    return text(key, language) if key in WORDS else line


def _label(curve: str) -> str:
    """A chart's title, as a string: two equal translation markers would count as a change and be sent."""
    return str(word(f"chart_{curve}"))


def _plot_data(data: list[list[Any]]) -> dict[str, Any]:
    return {"columns": list(COLUMNS), "data": data, "datatypes": dict(_TYPES), "mark": "line"}


def _points_alone(rows: Sequence[Row]) -> dict[str, tuple[int, float]]:
    """Where the dash ends, for each line of a single point."""
    found: dict[str, tuple[int, float]] = {}
    longer = set()
    for step, value, line in rows:
        if value is None or line in longer:
            continue
        if line in found:
            longer.add(line)
            del found[line]
        else:
            found[line] = step + 1, value
    return found


def _colours(curve: Curve) -> dict[str, str]:
    """A colour for each line of a curve; raw values are pale behind their smoothed line."""
    colours: dict[str, str] = {}
    for line in curve.lines:
        main = _COLOURS.get(line.name, _TEAL)
        colours[line.name] = _PALE.get(main, _PALE_TEAL) if line.smooth else main
        if line.smooth:
            colours[line.name + SMOOTH] = main
    return colours


def _rounded(value: float | None) -> float | None:
    """Rounded to five significant digits, more than a screen shows."""
    if value is None or value == 0 or not math.isfinite(value):
        return value
    return round(value, 4 - math.floor(math.log10(abs(value))))
