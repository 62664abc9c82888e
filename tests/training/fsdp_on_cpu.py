"""The command line under FSDP on the CPU, for tests: `torchrun -m tests.training.fsdp_on_cpu train ...`.

accelerate turns FSDP on for accelerators alone, though torch's fully_shard runs on gloo as well. One switch
is thrown by hand here; what comes after it, accelerate's code, torch's and ours, is what runs on GPUs.
"""

from typing import Any

from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType

from aigc_demo.cli import main

without_fsdp = AcceleratorState.__init__


def with_fsdp(self: AcceleratorState, *arguments: Any, fsdp_plugin: Any = None, **options: Any) -> None:
    without_fsdp(self, *arguments, fsdp_plugin=fsdp_plugin, **options)
    if fsdp_plugin is not None and self.distributed_type == DistributedType.MULTI_CPU:
        if self.mixed_precision != "no":
            fsdp_plugin.set_mixed_precision(self.mixed_precision)
        self.fsdp_plugin = fsdp_plugin
        self.distributed_type = PartialState._shared_state["distributed_type"] = DistributedType.FSDP


if __name__ == "__main__":
    AcceleratorState.__init__ = with_fsdp  # type: ignore[method-assign]
    main()
