"""Networks for images: generation by adversarial training, recognition, restoration."""
