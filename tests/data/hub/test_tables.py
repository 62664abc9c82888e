"""Tables of the Hub: one question tells whether it can be reached."""

from types import SimpleNamespace

import datasets
import huggingface_hub
import pytest

from aigc_demo.core.errors import InputError
from aigc_demo.data.hub import tables


@pytest.mark.parametrize(
    ("offline", "trouble", "offline_inside", "num_questions"),
    [
        (False, None, False, 1),
        (False, OSError("no route"), True, 1),
        (False, InputError("empty_path"), True, 1),
        (True, None, True, 0),
    ],
)
def test_the_cache_alone_is_used_where_the_hub_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
    offline: bool,
    trouble: Exception | None,
    offline_inside: bool,
    num_questions: int,
) -> None:
    asked = []

    def head(address: str, timeout: float) -> None:
        asked.append(address)
        if trouble is not None:
            raise trouble

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(tables, "check_way_to_hub", lambda: None)
    monkeypatch.setattr(huggingface_hub, "get_session", lambda: SimpleNamespace(head=head))
    with tables._offline_where_needed():
        assert datasets.config.HF_HUB_OFFLINE is offline_inside
    assert datasets.config.HF_HUB_OFFLINE is offline
    assert asked == [huggingface_hub.constants.ENDPOINT] * num_questions
