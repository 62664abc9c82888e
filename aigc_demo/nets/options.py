"""Named choices of networks and losses: plain data, which settings and a page read without torch."""

GAN_LOSSES = ("non-saturating", "minimax", "hinge")
AUGMENTATIONS = ("colour", "translation", "cutout")
DISCRIMINATOR_NORMS = ("batch", "none")
# As diffusers' schedulers name them: the noise, the image, or the velocity between the two.
PREDICTION_TYPES = ("epsilon", "sample", "v_prediction")
# The tasks of restoration networks, by the recipes that train them.
COLORIZE, INPAINT = "colorize", "inpaint"
# Of a GAN trained step by step: which network a step updates, and the losses of the twins that are compared.
UPDATED_NETWORKS = ("discriminator", "generator", "both")
TWIN_LOSSES = ("minimax", "non-saturating")
