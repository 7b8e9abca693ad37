"""The files that come with the code, and the folder to work in: of a checkout or of a wheel."""

from pathlib import Path

from tasks.cache.sources import PROJECT

DIGITS = Path("data/digits.csv")
_IN_A_WHEEL = PROJECT / "flows" / "shipped_files"  # where hatch_build.py puts those files


def shipped(name: str | Path) -> Path:
    """Return where a file that comes with the code is, by its path in a checkout."""
    return (_IN_A_WHEEL if _IN_A_WHEEL.is_dir() else PROJECT) / name


def working_folders() -> list[Path]:
    """Return the folders that deployments may use, the first of which is the one they run in.

    That is the checkout. A wheel has none: its deployments run where `digits serve` was started,
    and may use the files that came with it.
    """
    return [Path.cwd(), _IN_A_WHEEL] if _IN_A_WHEEL.is_dir() else [PROJECT]


def digits_or_shipped(csv: Path) -> Path:
    """Return a CSV's path, and that of the shipped digits where the default names no file."""
    return shipped(csv) if csv == DIGITS and not csv.exists() else csv
