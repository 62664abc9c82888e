"""Whether visitors may train: the owner of a server can switch it off, for instance on a Space."""

import os

from aigc_demo.core.errors import InputError

VARIABLE = "AIGC_DEMO_TRAINING"
OFF = ("off", "0", "false", "no")


def training_is_on() -> bool:
    """Whether the environment leaves training on, as it does where it says nothing."""
    return os.environ.get(VARIABLE, "").strip().lower() not in OFF


def check_training_is_on() -> None:
    """Raises InputError where training is switched off."""
    if not training_is_on():
        raise InputError("training_off")
