"""Networks for texts and images: the dual encoder, and the GAN conditioned on a caption."""
