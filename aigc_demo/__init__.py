"""AIGC Demo: generative models written from scratch, beside their library and pretrained peers."""

import os

from aigc_demo.core.process import interrupts

if interrupts.is_the_program():
    interrupts.end_at_once()

from aigc_demo.core.files.private_temp import configure_folders

__version__ = "0.1.0"

# GNU OpenMP reads this once, when torch is loaded. A thread that waits for another spins so often, then
# sleeps: on a free machine that costs nothing, on a shared one endless spinning takes the core that the
# other thread needs (docs/experiments.md: 600 tokens a second in training instead of 6,600).
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

configure_folders()  # before anything is imported that looks for them
