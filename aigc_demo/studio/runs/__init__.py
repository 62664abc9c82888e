"""Everything about a run: ordered, queued, watched, sampled, exported, imported."""
