"""The tab GAN."""
