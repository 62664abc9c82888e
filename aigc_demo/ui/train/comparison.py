"""Several runs beside each other: one chart, and a table of what differs."""

from collections.abc import Sequence
from typing import Any

from aigc_demo.studio.runs.run_queue import RunQueue
from aigc_demo.studio.runs.run_view import SMOOTH, Row, RunView, differing_settings, logarithms
from aigc_demo.training.recipes import RECIPES
from aigc_demo.ui import charts
from aigc_demo.ui.figures import duration
from aigc_demo.ui.train.view import state_words
from aigc_demo.ui.words.wording import everywhere, same_everywhere

MOST_COMPARED = 6


def differences(
    queue: RunQueue, views: Sequence[RunView], language: str, *, validation: bool, logarithmic: bool
) -> tuple[Any, dict[str, Any]]:
    """The overlaid curves and the table, for the plot and `static/differences.js`.

    Args:
        queue: where the runs are.
        views: of one to six runs.
        language: of the axis.
        validation: the validation loss, or else the smoothed loss of the training.
        logarithmic: log10 of it.
    """
    names = [view.state.name for view in views]
    # Adversarial training has no validation loss: then there is only the training to look at.
    validation = validation and any(_validated(view) for view in views)
    lines = [(view.state.name, _line(view, validation, logarithmic)) for view in views]
    plot = charts.overlay_update(lines, language, next(iter(views[0].charts), "loss"))
    settings = differing_settings([queue.run(name).known_config() for name in names])
    rows = [
        {"name": everywhere("figure_state"), "cells": [state_words(view) for view in views]},
        {"name": everywhere("figure_best"), "cells": [_best(view) for view in views]},
        {"name": everywhere("figure_elapsed"), "cells": [duration(view.seconds) for view in views]},
        *(
            {
                "name": same_everywhere(name),
                "cells": [same_everywhere("–" if value is None else str(value)[:60]) for value in values],
            }
            for name, values in settings.items()
        ),
    ]
    return plot, {"caption": everywhere("compare_caption"), "head": names, "rows": rows}


def _validated(view: RunView) -> bool:
    return any(name == "validation" for rows in view.charts.values() for _, _, name in rows)


def _line(view: RunView, validation: bool, logarithmic: bool) -> Sequence[Row]:
    """The first curve's first smoothed line, or that of the validation."""
    rows = next(iter(view.charts.values()), ())
    smooth = next((name for _, _, name in rows if name.endswith(SMOOTH)), "")
    wanted = [row for row in rows if row[2] == ("validation" if validation else smooth)]
    recipe = RECIPES.get(view.recipe)
    return logarithms(wanted) if logarithmic and (recipe is None or recipe.curves[0].logarithmic) else wanted


def _best(view: RunView) -> dict[str, str]:
    if view.best is None:
        return everywhere("not_yet")
    return everywhere("best_at", loss=view.best[1], step=view.best[0])
