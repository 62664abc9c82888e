"""Training of the library's diffusion model: the baseline of the GANs."""
