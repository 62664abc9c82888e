"""The models that the page offers: the catalog's, some of them on our network too, and those of runs.

A run's model is named RUN@STEP, by the checkpoint that holds it; RUN alone stands for its last one.
"""

import logging
import re
from dataclasses import dataclass, replace
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any

from aigc_demo.core.config import shown
from aigc_demo.core.errors import DemoError, InputError
from aigc_demo.core.files.manifest import step_of
from aigc_demo.core.run_directory import RunDirectory
from aigc_demo.generators.kinds import ANSWERS, TEXT_GENERATOR, check_kind
from aigc_demo.studio.runs.patient_reads import PatientReads
from aigc_demo.studio.runs.samples import kind_of_text
from aigc_demo.training.recipes import RECIPES, starting_recipes

if TYPE_CHECKING:
    from aigc_demo.generators.catalog_entry import CatalogEntry
    from aigc_demo.studio.runs.run_queue import RunQueue

ON_OURS = "@ours"
"""Ending of a model's name that asks for its weights on our own network: `gpt2@ours`."""

OF_A_RUN = re.compile(r"(.+)@([0-9]{1,12})", re.DOTALL)

log = logging.getLogger(__name__)

MOST_RUNS = 20
MAX_MODELS = 4


@dataclass(frozen=True)
class Choice:
    """One model to choose. `value` is the name that `compare_text` and the API take."""

    value: str
    entry: Any
    on_ours: bool

    @property
    def of_a_run(self) -> bool:
        """Whether it is a checkpoint of a run on this machine."""
        return bool(run_of(self.value))

    @property
    def of_a_folder(self) -> bool:
        """Whether it comes from the folder of models."""
        return self.entry.family == "pretrained" and not self.entry.on_hub


def run_of(model: str) -> str:
    """The run whose checkpoint a model's name stands for; "" for a model that everybody has."""
    return run_and_step(model.removesuffix(ON_OURS))[0]


def run_and_step(model: str) -> tuple[str, str]:
    """Run and step of a model's name, RUN@STEP, where the run's own name may hold the sign too.

    Returns:
        The step by its digits; twice "" for any other name.
    """
    found = OF_A_RUN.fullmatch(model)
    return (found[1], found[2]) if found else ("", "")


class Catalog:
    """The models of the page by name.

    Args:
        queue: whose runs are models too; None for none.
    """

    def __init__(self, queue: "RunQueue | None" = None):
        self._queue = queue
        self._of_runs: PatientReads[str, CatalogEntry | None] = PatientReads(self._entry)

    def choice(self, name: Any) -> Choice:
        """The model of this name.

        Args:
            name: of the catalog, or RUN@STEP, or RUN; with `@ours` behind it to run on our own network.

        Raises:
            InputError: there is no such model, or it cannot run on our network.
        """
        bare = name.removesuffix(ON_OURS) if isinstance(name, str) else ""
        on_ours = bare != name
        entry = self._entry(bare)
        if entry is None or (on_ours and not entry.runs_on_ours):
            raise InputError("unknown_model", name=shown(name))
        return Choice(entry.name + ON_OURS * on_ours, entry, on_ours)

    def checked(self, name: Any, kind: str = TEXT_GENERATOR) -> str:
        """The full name of a model.

        Args:
            name: as `choice` takes it.
            kind: a row of `generators.kinds`.

        Raises:
            InputError: there is no such model, it cannot run on our network, or it makes something else.
        """
        choice = self.choice(name)
        check_kind(choice.value, choice.entry.kind, kind)
        return choice.value

    def checked_all(self, names: Any, kind: str = TEXT_GENERATOR) -> tuple[str, ...]:
        """One to four names of models.

        Args:
            names: of them.
            kind: a row of `generators.kinds`.

        Raises:
            InputError: it is not a list of such models.
        """
        if not isinstance(names, (list, tuple)) or not 1 <= len(names) <= MAX_MODELS:
            expected = f"a list of 1 to {MAX_MODELS} models"
            raise InputError("setting_type", name="models", expected=expected, got=shown(names))
        return tuple(self.checked(name, kind) for name in names)

    def choices(self, *kinds: str) -> tuple[Choice, ...]:
        """The models of a kind that this page may run now: the catalog's, then those of the newest runs.

        Args:
            kinds: rows of `generators.kinds`.
        """
        from aigc_demo.generators.catalog import listed

        entries = (*listed().values(), *self._run_entries())
        return tuple(
            Choice(entry.name + ON_OURS * on_ours, entry, on_ours)
            for kind in kinds
            for entry in entries
            if entry.kind == kind
            for on_ours in ((False, True) if entry.runs_on_ours else (False,))
        )

    def check_seen(self, name: str) -> None:
        """Refuse the model of a run that whoever asks may not see, loaded for its owner or not.

        Raises:
            InputError: it is one.
        """
        if self._queue is not None and (run := run_of(name)):
            self._queue.check_seen(run)

    def trained_by(self, name: str) -> RunDirectory | None:
        """The run whose checkpoint a model is; None for a model of the catalog."""
        run = run_of(name)
        return self._queue.run(run) if self._queue is not None and run else None

    def baseline_for(self, run: RunDirectory) -> str | None:
        """The library baseline that was trained on the same data as a run: another run's, or a shipped one.

        Never the run itself, which may be a library baseline.

        Returns:
            A model's name, of the kind of the run's own; None where nobody has trained one, or for a run
            whose models make nothing of a text.
        """
        from aigc_demo.generators.catalog import listed

        sha256, kind = _data_of(run).get("sha256"), kind_of_text(str(run.known_config().get("recipe")))
        candidates = [e for e in (*self._run_entries(kind), *listed().values()) if e.kind == kind]
        candidates = [e for e in candidates if run_of(e.name) != run.path.name]
        same = (e.name for e in candidates if e.family == "library" and sha256 and e.data_sha256 == sha256)
        return next(same, None)

    def starting_points(self, recipe: Any) -> tuple[Choice, ...]:
        """The models that a run of this recipe can start from; none for what is no recipe."""
        from aigc_demo.generators.catalog import listed

        if not isinstance(recipe, str) or recipe not in RECIPES:
            return ()
        recipes = starting_recipes(recipe)
        entries = [*listed().values(), *self._run_entries()]
        return tuple(
            Choice(entry.name, entry, False)
            for entry in entries
            if entry.recipe in recipes and entry.family != "pretrained"
        )

    def starting_point(self, recipe: str, name: Any) -> str:
        """The value of `--init` for a run that starts from this model.

        Raises:
            InputError: there is no such model, or another recipe made it.
        """
        entry = self._entry(name) if isinstance(name, str) else None
        if entry is None:
            raise InputError("unknown_model", name=shown(name))
        if entry.problem is not None:
            raise entry.problem
        choice = Choice(entry.name, entry, False)
        recipes = starting_recipes(recipe)
        if choice.entry.recipe not in recipes or choice.on_ours or choice.entry.family == "pretrained":
            detail = f"it was made by {choice.entry.recipe or 'others'}"
            expected = f"was made by the recipe {' or '.join(recipes)}"
            raise InputError("foreign_model", path=choice.value, detail=detail, expected=expected)
        return choice.entry.location if choice.of_a_run else choice.value

    def _entry(self, name: str) -> "CatalogEntry | None":
        from aigc_demo.generators.catalog import listed

        known = listed().get(name)
        if known is not None or self._queue is None:
            return known
        run, step = run_and_step(name)
        try:
            entry = self._run_entry(self._queue, run, step) if run else None
            return entry or self._run_entry(self._queue, name)
        except DemoError:
            return None
        except Exception:  # one run that cannot be read breaks no list for others
            log.warning("The model %s cannot be read", shown(name), exc_info=True)
            return None

    def _run_entry(self, queue: "RunQueue", name: str, step: str = "") -> "CatalogEntry | None":
        """The model of a run's checkpoint, by default its last; None where there is none."""
        from aigc_demo.generators.trained_folder import folder_entry

        try:
            run = queue.run(name)
        except InputError:  # none that whoever asks may see
            return None
        checkpoints = {step_of(path): path for path in run.checkpoints()}
        wanted = int(step) if step else max(checkpoints, default=-1)
        if wanted not in checkpoints:
            return None
        try:
            entry = folder_entry(checkpoints[wanted], f"{run.path.name}@{wanted}")
        except Exception as error:  # one run that cannot be read breaks no list for others
            return _unreadable(run, f"{run.path.name}@{wanted}", error)
        data = _data_of(run)
        name, sha256 = str(data.get("name", "")), str(data.get("sha256", ""))
        entry = replace(entry, training_data=name[:80], data_sha256=sha256)
        return replace(entry, started_from=_started_from(run, entry.kind))

    def _run_entries(self, kind: str | None = None) -> list["CatalogEntry"]:
        """The last models of the newest runs that have ended, of all kinds or of one."""
        if self._queue is None:
            return []
        states = self._queue.states(self._queue.names())
        ended = [name for name, state in states.items() if not state.under_way]
        found = [answer.value for answer in self._of_runs.all(ended[:MOST_RUNS])]
        return [entry for entry in found if entry is not None and kind in (None, entry.kind)]


def _started_from(run: RunDirectory, kind: str) -> str | None:
    """The model that a run started from; None for random weights, but where these are worth a word."""
    config = run.known_config()
    init = config.get("init")
    if not isinstance(init, str):
        return "" if kind == ANSWERS and config else None
    path = PureWindowsPath(init)  # also of another system
    of_a_run = path.parent.name == "checkpoints" and len(path.parts) > 2
    return (path.parts[-3] if of_a_run else path.name)[:80]


def default_pair(choices: tuple[Choice, ...]) -> tuple[str, str]:
    """The models that a tab opens with: our first, and the first that is not ours, of the same data if any.

    Where our first started from another model, and one of the same data from random weights, these two: the
    pair shows what the pretraining gained.

    Raises:
        LookupError: there is none to choose.
    """
    choices = tuple(choice for choice in choices if choice.entry.problem is None) or choices
    ours = next((choice for choice in choices if choice.entry.family == "ours"), choices[0])
    others = [choice for choice in choices if choice.entry.family != "ours"]
    sha256 = ours.entry.data_sha256
    same = [choice for choice in others if sha256 and choice.entry.data_sha256 == sha256]
    plain = [choice for choice in choices if _is_without_pretraining(ours.entry, choice.entry)]
    return ours.value, (*plain, *same, *others, choices[-1])[0].value


def _is_without_pretraining(entry: "CatalogEntry", other: "CatalogEntry") -> bool:
    """Whether the other one is the same model, trained on the same data, but from random weights."""
    same = (other.recipe, other.data_sha256) == (entry.recipe, entry.data_sha256)
    return same and bool(entry.started_from) and other.started_from == ""


def is_at_hand(entry: "CatalogEntry") -> bool:
    """Whether a model can be loaded without a network."""
    if not entry.on_hub:
        return entry.problem is None
    from aigc_demo.generators.hub import is_cached

    return is_cached(entry)


def _unreadable(run: RunDirectory, name: str, error: Exception) -> "CatalogEntry":
    """A run's model that cannot be read, with the reason; it stands in the picker of what its run makes."""
    from aigc_demo.generators.catalog_entry import CatalogEntry
    from aigc_demo.training.recipes import RECIPES

    recipe = str(run.known_config().get("recipe"))
    key, values = "broken_model", {"detail": "it cannot be read"}
    if isinstance(error, DemoError):
        key, values = error.key, error.values
    else:
        log.warning("The model %s cannot be read", name, exc_info=error)
    row = RECIPES.get(recipe)
    kind, family = (row.kind, row.folder.family) if row else (TEXT_GENERATOR, "ours")
    # Without a recipe, so that nothing is trained on from it.
    return CatalogEntry(
        name, family, kind, "", str(run.path), problem=InputError(key, **{**values, "path": name})
    )


def _data_of(run: RunDirectory) -> dict[str, Any]:
    """Name and hash of what a run was trained on; an uploaded run may say anything."""
    data = run.known_config().get("data")
    return data if isinstance(data, dict) else {}
