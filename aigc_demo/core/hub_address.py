"""Where the Hub is asked for: its own address, or a mirror's in HF_ENDPOINT, as its client reads it."""

import os
from urllib.parse import urlsplit

from aigc_demo.core.errors import InputError

VARIABLE = "HF_ENDPOINT"


def hub_address_problem() -> InputError | None:
    """The reason why nobody answers, where that is the address; None where it is one.

    The Hub's client takes whatever HF_ENDPOINT holds, an empty text too.
    """
    address = os.environ.get(VARIABLE)
    return None if address is None or _is_address(address) else InputError("hub_address")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False
