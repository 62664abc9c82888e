"""What the trainings of several families have in common: steps until the budget is spent."""
