"""The Prefect servers that commands start, and what is set before Prefect is imported."""
