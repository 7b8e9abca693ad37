"""What a rerun is measured against: a Prefect flow of five tasks that do nothing."""

from prefect import flow, task


@task
def nothing(number: int) -> int:
    """Return the number."""
    return number


@flow
def empty() -> None:
    """Run five tasks, as many as a training has."""
    for number in range(5):
        nothing(number)


if __name__ == "__main__":
    empty()
