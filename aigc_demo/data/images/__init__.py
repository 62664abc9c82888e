"""Images from a source to a corpus: read, cleaned, split, augmented."""
