"""Training of the library's text-to-image diffusion model."""
