"""A stage's result kept, named by its content, and found again."""
