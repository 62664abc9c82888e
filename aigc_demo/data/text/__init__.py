"""Text from a source to a corpus: decoded, cleaned, split, tokenised."""
