"""The way to the Hub: its own address, or a mirror's in HF_ENDPOINT, and the proxy that leads there."""

import os
from urllib.parse import urlsplit

from aigc_demo.core.errors import InputError
from aigc_demo.core.proxies import configure_proxies, proxy_variable, unusable_variables

VARIABLE, HUB = "HF_ENDPOINT", "https://huggingface.co"
# What a proxy answers itself: it wants a password, or reaches nobody.
OF_A_PROXY = (407, 502, 504)


def hub_address_problem() -> InputError | None:
    """The reason why nobody answers, where that is the address; None where it is one.

    The Hub's client takes whatever HF_ENDPOINT holds, an empty text too.
    """
    address = os.environ.get(VARIABLE)
    return None if address is None or _is_address(address) else InputError("hub_address")


def check_way_to_hub() -> None:
    """Let the Hub's client be built, before anything is asked.

    Raises:
        InputError: a proxy that the environment names leads there, and no client can use it.
    """
    configure_proxies()
    if _is_offline() or hub_address_problem():
        return  # said in another sentence, once it fails
    variable = proxy_variable(_address())
    if variable in unusable_variables():
        raise InputError("hub_proxy", variable=variable)


def hub_problem(error: Exception) -> InputError | None:
    """What of the environment may have kept an answer away; None where that is not known.

    Args:
        error: what the Hub's client raised.
    """
    problem = hub_address_problem()
    if problem is not None or _is_offline() or not _is_of_the_way(error):
        return problem
    variable, unusable = proxy_variable(_address()), unusable_variables()
    if unusable and variable in (None, *unusable):
        return InputError("hub_proxy", variable=variable or unusable[0])
    return None if variable is None else InputError("hub_proxy_silent", variable=variable)


def _address() -> str:
    return os.environ.get(VARIABLE, HUB)


def _is_of_the_way(error: Exception) -> bool:
    """Whether an error is one of the connection, and not the Hub's own answer or of the disk."""
    from huggingface_hub.errors import LocalEntryNotFoundError
    from huggingface_hub.utils import httpx  # whichever of its versions the library uses

    response = getattr(error, "response", None)
    if response is not None:
        return response.status_code in OF_A_PROXY
    return isinstance(error, (ConnectionError, httpx.HTTPError, LocalEntryNotFoundError))


def _is_offline() -> bool:
    from huggingface_hub import constants

    return bool(constants.is_offline_mode())


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False
