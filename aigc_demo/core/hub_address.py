"""Connection settings of the Hub: its address or a mirror's in HF_ENDPOINT, and the proxy to reach it."""

import os
from urllib.parse import urlsplit

from aigc_demo.core.errors import InputError
from aigc_demo.core.proxies import configure_proxies, proxy_variable, unusable_variables

VARIABLE, HUB = "HF_ENDPOINT", "https://huggingface.co"
# Status codes of the proxy itself: authentication required, bad gateway, gateway timeout.
OF_A_PROXY = (407, 502, 504)


def hub_address_problem() -> InputError | None:
    """An error where HF_ENDPOINT is no valid URL; None otherwise.

    The Hub's client uses whatever HF_ENDPOINT holds, even an empty string.
    """
    address = os.environ.get(VARIABLE)
    return None if address is None or _is_address(address) else InputError("hub_address")


def check_way_to_hub() -> None:
    """Configure proxies so that the Hub's client can be created, before the first request.

    Raises:
        InputError: the proxy for the Hub's address is one that no client supports.
    """
    configure_proxies()
    if _is_offline() or hub_address_problem():
        return  # the request itself fails with an error message of its own
    variable = proxy_variable(_address())
    if variable in unusable_variables():
        raise InputError("hub_proxy", variable=variable)


def hub_problem(error: Exception) -> InputError | None:
    """The environment variable that probably caused a failed request, as an error; None if there is none.

    Args:
        error: raised by the Hub's client.
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
    """Whether it is a connection error, not a response of the Hub or a disk error."""
    from huggingface_hub.errors import LocalEntryNotFoundError
    from huggingface_hub.utils import httpx  # the version that the library uses

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
    except ValueError:  # an invalid port
        return False
