"""Metadata of a model, known before it is loaded."""

from dataclasses import dataclass
from typing import Literal

from aigc_demo.core.errors import DemoError

Family = Literal["ours", "library", "pretrained"]


@dataclass(frozen=True)
class CatalogEntry:
    """One model and what a user should know of it before choosing it.

    Attributes:
        name: on the command line, in the page and in tests.
        family: ours, library (trained here on a library's architecture) or pretrained (by others).
        kind: what it makes: text, answers to texts, images, or images of texts ("text-to-image"); or what it
            does with images: measures them, matches them with texts, reads or restores them.
        recipe: what trains it; "" for pretrained ones.
        location: a folder, or an id on the Hub.
        revision: full commit of the Hub's repository; None for a folder.
        num_parameters: None where it is not known before loading.
        licence: of the weights.
        languages: that it writes.
        training_data: in a few words.
        size_mib: of the weights' file.
        architecture: whose network it is.
        runs_on_ours: whether its weights also fit our own network.
        data_sha256: of the source that it was trained on, where this project trained it.
        started_from: the model whose weights its training started from, "" for random weights; None where it
            is not known.
        image_size: side of its images in pixels.
        seconds_per_step: of a pretrained model that draws, on two cores, roughly; None where it is fast.
        problem: why it cannot be used; None for a model that, as far as it was looked at, can.
    """

    name: str
    family: Family
    kind: str
    recipe: str
    location: str
    revision: str | None = None
    num_parameters: int | None = None
    licence: str = ""
    languages: tuple[str, ...] = ()
    training_data: str = ""
    size_mib: float | None = None
    architecture: str = ""
    runs_on_ours: bool = False
    data_sha256: str = ""
    started_from: str | None = None
    image_size: int | None = None
    seconds_per_step: float | None = None
    problem: DemoError | None = None

    @property
    def on_hub(self) -> bool:
        """Whether it comes from the Hub (or from the Hub's cache on this machine)."""
        return self.revision is not None
