"""Every word of the page, by tab, in each language."""
