"""gradio's sessions without a copy of the whole page's configuration in each.

For every new session gradio computes the configuration of every component, and keeps each new value in it: on
this page 30 ms of the loop that serves everybody, for each program that calls an endpoint once. Nothing but
deep links reads it, and this page has none.
"""

from copy import copy
from datetime import datetime
from typing import Any

import gradio.state_holder as holder
from gradio.components import State

# A session is a few kB, and the values of its gr.State: more than a flood of clients is likely to bring.
MOST_SESSIONS = 1000


class LightSession(holder.SessionState):
    """What one opened page keeps on the server: the values of its gr.State, and blocks that it changed.

    Args:
        blocks: the page.
    """

    def __init__(self, blocks: Any):
        self.blocks_config = copy(blocks.default_config)
        self.config_values: dict[int, Any] = {}
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, Any] = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = 3600

    def __setitem__(self, key: int, value: Any) -> None:
        block = self.blocks_config.blocks.get(key)
        if isinstance(block, State):
            self._state_ttl[key] = (block.time_to_live, datetime.now())
            self.state_data[key] = value
        else:
            self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None:
        """Nothing is kept."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Nothing is kept."""


def use_light_sessions() -> None:
    """Let gradio make these sessions from now on; may be called again."""
    holder.SessionState = LightSession
