"""What a person looks at: figures, the report of a run, the index of all runs."""
