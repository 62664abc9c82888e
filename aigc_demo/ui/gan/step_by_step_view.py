"""What the page shows of the step-by-step GAN, as plain JSON in all languages, and its formulas as LaTeX."""

import base64
import io
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aigc_demo.core.files.strict_json import Json
from aigc_demo.data.images.pixels import grid
from aigc_demo.nets.options import TWIN_LOSSES
from aigc_demo.studio.images.step_by_step_gan import GanState, TwinState, loss_curves
from aigc_demo.ui.words.wording import everywhere

if TYPE_CHECKING:
    from aigc_demo.training.gan.step_by_step import Inspection, Step

NUMBERS = ("mean_log_real", "mean_log_fake", "value", "discriminator_loss", "generator_loss")
MOST_POINTS = 300  # a line of more is no finer on a screen
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
COLD, WARM, HOT = np.array([0, 0, 0]), np.array([255, 90, 0]), np.array([255, 230, 128])
DIM = 0.35  # how bright the image is below its heat map
# The two charts of the losses over D(G(z)) end where -log p would leave the chart.
LOSS_RANGE = (-4, 4)

_VALUE = r"V(D,G) &= \tfrac1{n}\sum_i\log D(x_i) + \tfrac1{n}\sum_i\log\bigl(1-D(G(z_i))\bigr)"
_LOSS_OF_D = "L_D &= -V(D,G)"
_LOSSES_OF_D = {
    "hinge": (
        r"L_D &= \tfrac1{n}\sum_i\max\bigl(0,1-s(x_i)\bigr)\\"
        r"&\quad + \tfrac1{n}\sum_i\max\bigl(0,1+s(G(z_i))\bigr)"
    ),
}
_SCORE = r"s &= \log\frac{D}{1-D}"
_LOSSES_OF_G = {
    "minimax": r"L_G &= \tfrac1{n}\sum_i\log\bigl(1-D(G(z_i))\bigr)",
    "non-saturating": r"L_G &= -\tfrac1{n}\sum_i\log D(G(z_i))",
    "hinge": r"L_G &= -\tfrac1{n}\sum_i s(G(z_i))",
}


def formulas(inspection: "Inspection | None") -> str:
    """The value function and both losses, with the numbers of a batch filled in."""
    if inspection is None:
        return _aligned(_VALUE.replace("{n}", "n"))
    now = inspection.by_scores
    num = f"{{{len(inspection.real_probs)}}}"
    real = rf"\log {_tex(inspection.real_probs[0])}+\log {_tex(inspection.real_probs[1])}+\dots"
    fake = rf"\log(1-{_tex(inspection.fake_probs[0])})+\log(1-{_tex(inspection.fake_probs[1])})+\dots"
    signed = f"({now.mean_log_fake:.4f})"
    lines = (
        _VALUE.replace("{n}", num),
        rf"&= \tfrac1{num}({real})",
        rf"&\quad + \tfrac1{num}({fake})",
        rf"&= {now.mean_log_real:.4f} + {signed} = {now.value:.4f}",
        f"{_LOSSES_OF_D.get(inspection.loss, _LOSS_OF_D).replace('{n}', num)} = {now.discriminator_loss:.4f}",
        f"{_LOSSES_OF_G[inspection.loss].replace('{n}', num)} = {now.generator_loss:.4f}",
    )
    return _aligned(*lines, *([_SCORE] if inspection.loss == "hinge" else []))


def board(state: GanState | None) -> Json:
    """The batch with its numbers, for `static/step_by_step.js`."""
    if state is None:
        return {"empty": everywhere("step_by_step_empty")}
    inspection = state.inspection
    means = {
        "real": shown_prob(float(np.mean(inspection.real_probs))),
        "fake": shown_prob(float(np.mean(inspection.fake_probs))),
    }
    columns = ("number", "before", "by_scores", "by_probs", "difference")
    return {
        "name": everywhere("step_by_step"),
        "state": everywhere("step_by_step_state", steps=inspection.num_steps, **means),
        "columns": [everywhere(f"step_by_step_{name}") for name in columns],
        "rows": [_row(inspection, name) for name in NUMBERS],
        "strips": [_real(inspection), _fake(inspection), _heat(inspection)],
    }


def course(state: GanState | None) -> Json:
    """The curves of the training, for `static/plots.js`."""
    history = state.history if state else ()
    steps = everywhere("step_by_step_steps_axis")
    probs = _chart(
        "step_by_step_probs_chart",
        steps,
        everywhere("step_by_step_probs_axis"),
        [
            _line("step_by_step_line_real", history, lambda step: (step.step, step.real_prob)),
            _line("step_by_step_line_fake", history, lambda step: (step.step, step.fake_prob)),
        ],
        y_range=(0, 1),
    )
    losses = _chart(
        "step_by_step_losses_chart",
        steps,
        everywhere("step_by_step_loss_axis"),
        [
            _line(
                "step_by_step_discriminator_loss", history, lambda step: (step.step, step.discriminator_loss)
            ),
            _line("step_by_step_generator_loss", history, lambda step: (step.step, step.generator_loss)),
        ],
    )
    return {"empty": everywhere("step_by_step_history_empty"), "charts": [probs, losses]}


def twins(state: TwinState | None) -> Json:
    """The two losses as curves, where each twin stands on them, and its gradients; for `static/plots.js`."""
    if state is None:
        return {"empty": everywhere("twins_empty"), "charts": []}
    prob, length = everywhere("twins_prob_axis"), everywhere("twins_gradient_axis")
    curves = loss_curves()
    stand = {loss: steps[-1].fake_prob for loss, steps in state.history.items() if steps}
    charts = [
        _chart(
            f"twins_{name}_chart",
            prob,
            everywhere(axis),
            _curves(curves, column, stand),
            x_range=(0, 1),
            y_range=limits,
        )
        for column, name, axis, limits in (
            (1, "loss", "step_by_step_loss_axis", LOSS_RANGE),
            (2, "slope", "twins_slope_axis", (-1, 0)),
        )
    ]
    against = [
        {**_line(_twin(loss), state.history[loss], lambda s: (s.fake_prob, s.gradient_norm)), "dots": True}
        for loss in TWIN_LOSSES[::-1]
    ]
    over = [
        _line(_twin(loss), state.history[loss], lambda s: (s.step, s.gradient_norm))
        for loss in TWIN_LOSSES[::-1]
    ]
    charts.append(_chart("twins_gradient_chart", prob, length, against, x_log=True, y_log=True))
    charts.append(
        _chart("twins_course_chart", everywhere("step_by_step_steps_axis"), length, over, y_log=True)
    )
    return {"empty": everywhere("twins_empty"), "charts": charts}


def shown_prob(prob: float) -> str:
    """A probability in few signs, also where it is nearly 0 or 1."""
    if prob < 0.0005:
        return f"{prob:.0e}" if prob else "0"
    if prob > 0.9995:
        return f"1−{1 - prob:.0e}" if prob < 1 else "1"
    return f"{prob:.3f}"


# ---- numbers and images


def _row(inspection: "Inspection", name: str) -> Json:
    now, plain = getattr(inspection.by_scores, name), getattr(inspection.by_probs, name)
    before = "" if inspection.before is None else _number(getattr(inspection.before, name))
    difference = abs(now - plain)
    cells = [before, _number(now), _number(plain), f"{difference:.1e}" if math.isfinite(difference) else "∞"]
    return {"name": everywhere(f"step_by_step_{name}"), "cells": cells}


def _number(value: float) -> str:
    return (f"{value:.6f}" if math.isfinite(value) else f"{value:+.0f}".replace("inf", "∞")).replace("-", "−")


def _real(inspection: "Inspection") -> Json:
    return _strip("real", np.asarray(inspection.real_BCHW), inspection.real_probs)


def _fake(inspection: "Inspection") -> Json:
    return _strip("fake", np.asarray(inspection.fake_BCHW), inspection.fake_probs)


def _strip(kind: str, images: np.ndarray, probs: Sequence[float]) -> Json:
    names = [
        everywhere(f"step_by_step_{kind}_name", number=place, prob=shown_prob(prob))
        for place, prob in enumerate(probs, 1)
    ]
    tiles = [{"text": shown_prob(prob), "name": name} for prob, name in zip(probs, names, strict=True)]
    return {**_titles(kind), "sheet": _sheet(images), "tiles": tiles, "scale": None}


def _heat(inspection: "Inspection") -> Json:
    """The gradients over the images in grey, all on one scale."""
    gradient = np.asarray(inspection.gradient_BHW)
    most = float(gradient.max())
    largest = [f"{value:.2g}" for value in gradient.max(axis=(1, 2))]
    tiles = [
        {"text": text, "name": everywhere("step_by_step_heat_name", number=place, most=text)}
        for place, text in enumerate(largest, 1)
    ]
    sheet = _sheet(heat_map(np.asarray(inspection.fake_BCHW), gradient / (most or 1)))
    return {**_titles("heat"), "sheet": sheet, "tiles": tiles, "scale": {"low": "0", "high": f"{most:.2g}"}}


def heat_map(images: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Images in dim grey, and over them a colour that grows from nothing through orange to yellow.

    Args:
        images: uint8 [N, 3, S, S].
        heat: [N, S, S], 0 to 1.

    Returns:
        uint8, as `images`.
    """
    grey = (images * LUMA[:, None, None]).sum(1) * DIM
    share = heat[..., None]
    colour = np.where(
        share < 0.5, COLD + (WARM - COLD) * 2 * share, WARM + (HOT - WARM) * (2 * share - 1)
    )  # [N, S, S, 3]
    cover = np.minimum(1, 2 * share)
    mixed = grey[..., None] * (1 - cover) + colour * np.where(share < 0.5, 1, cover)
    return mixed.round().clip(0, 255).astype(np.uint8).transpose(0, 3, 1, 2)


def _titles(kind: str) -> Json:
    return {"title": everywhere(f"step_by_step_{kind}"), "about": everywhere(f"step_by_step_{kind}_about")}


def _sheet(images: np.ndarray) -> str:
    """All images of a strip in one row, as a PNG in an address."""
    file = io.BytesIO()
    grid(images, columns=len(images), gap=0).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


# ---- charts


def _chart(title: str, x: Json, y: Json, series: list[Json], **how: Any) -> Json:
    plain: Json = {"x_log": False, "y_log": False, "x_range": None, "y_range": None}
    return {"title": everywhere(title), "x": x, "y": y, "series": series, **plain, **how}


def _line(
    name: str, history: Sequence["Step"], point: Callable[["Step"], tuple[float, float | None]]
) -> Json:
    """A line through the steps, through every second or every third only where there are many."""
    stride = -(-len(history) // MOST_POINTS) or 1
    kept = [*history[:-1:stride], *history[-1:]]
    return {"name": everywhere(name), "points": [_digits(point(step)) for step in kept], "mark": None}


def _curves(
    curves: dict[str, list[tuple[float, float, float]]], column: int, stand: dict[str, float]
) -> list[Json]:
    """One column of the curves, and on each the point nearest to where its twin stands."""
    lines = []
    for loss in TWIN_LOSSES[::-1]:
        points = [(point[0], point[column]) for point in curves[loss]]
        nearest = None
        if loss in stand:
            nearest = min(points, key=lambda point: abs(point[0] - stand[loss]))
        mark = None if nearest is None else _digits(nearest)
        lines.append({"name": everywhere(_twin(loss)), "points": [_digits(p) for p in points], "mark": mark})
    return lines


def _twin(loss: str) -> str:
    return f"twins_line_{loss.replace('-', '_')}"


def _digits(point: tuple[float, float | None]) -> list[float | None]:
    return [None if number is None else float(f"{number:.4g}") for number in point]


def _aligned(*lines: str) -> str:
    return "$$\\begin{aligned}" + r"\\".join(lines) + "\\end{aligned}$$"


def _tex(prob: float) -> str:
    """A probability inside a formula."""
    if 0.0005 <= prob <= 0.9995:
        return f"{prob:.3f}"
    return f"{prob:.6f}"
