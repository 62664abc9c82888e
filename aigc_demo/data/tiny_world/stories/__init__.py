"""Stories of scenes and questions about them: written and parsed by the same grammars, in each language."""
