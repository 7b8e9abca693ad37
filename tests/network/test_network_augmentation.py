"""Distorted images: variants of the same image, and reproducible ones."""

import numpy as np
import pytest

from network import augmentation
from network.augmentation import distort


def digits(side: int, count: int = 40, dtype: str = "float32") -> np.ndarray:
    """Return images of a bright square off the middle on a blank ground."""
    images = np.zeros((count, side, side), dtype)
    images[:, side // 4 : side // 2, side // 3 : 2 * side // 3] = 1
    return images.reshape(count, side * side)


@pytest.mark.parametrize("side", [1, 8, 20, 28])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_variants_are_images_of_the_same_kind(side: int, dtype: str) -> None:
    """Shape, number type and range stay, for any square side; the images given are not changed."""
    images = digits(side, dtype=dtype)
    before = images.copy()
    variants = distort(images, np.random.default_rng(0))
    assert variants.shape == images.shape
    assert variants.dtype == dtype
    assert variants.min() >= 0
    assert variants.max() <= 1 + 1e-6
    assert (images == before).all()


def test_strength_0_changes_nothing() -> None:
    """Without strength every pixel is read from its own place."""
    images = np.random.default_rng(1).random((30, 400))
    assert distort(images, np.random.default_rng(0), strength=0) == pytest.approx(images, abs=1e-12)


def test_same_generator_same_variants_another_others() -> None:
    """The generator alone decides: the same seed gives the same bytes, another seed other ones."""
    images = digits(20)
    first, second, other = (distort(images, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != other.tobytes()


def test_every_image_has_a_variant_of_its_own() -> None:
    """Equal images become different ones, also across the chunks they are worked on in."""
    count = 2 * augmentation._CHUNK + 3
    variants = distort(digits(20, count), np.random.default_rng(0))
    assert len(np.unique(variants, axis=0)) == count


def test_stronger_distortion_moves_more() -> None:
    """The difference to the image given grows with the strength."""
    images = digits(20, 200)
    differences = [
        float(np.abs(distort(images, np.random.default_rng(0), strength) - images).mean())
        for strength in (0.0, 0.25, 0.5, 1.0)
    ]
    assert differences == sorted(differences)
    assert differences[1] > 0.001


@pytest.mark.parametrize(
    ("constant", "value", "width", "height"),
    [("SCALING", 0.0, 10, 10), ("SHIFT", 0.25, 10, 10), ("ROTATION", np.pi / 2, 10, 10)],
)
def test_a_shape_keeps_its_ink_when_moved_or_turned(
    monkeypatch: pytest.MonkeyPatch, constant: str, value: float, width: int, height: int
) -> None:
    """Moving or turning a shape inside the image neither adds nor loses ink."""
    for name in ("ROTATION", "SCALING", "SHEAR", "SHIFT", "BEND"):
        monkeypatch.setattr(augmentation, name, 0.0)
    monkeypatch.setattr(augmentation, constant, value)
    images = np.zeros((50, 40, 40))
    images[:, 20 - height // 2 : 20 + height // 2, 20 - width // 2 : 20 + width // 2] = 1
    variants = distort(images.reshape(50, 1600), np.random.default_rng(0))
    assert variants.sum(axis=1) == pytest.approx(np.full(50, width * height), rel=0.02)


def test_a_turn_is_about_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ring around the middle of the image stays itself when it is turned."""
    for name in ("SCALING", "SHEAR", "SHIFT", "BEND"):
        monkeypatch.setattr(augmentation, name, 0.0)
    monkeypatch.setattr(augmentation, "ROTATION", np.pi)
    across = np.arange(41) - 20.0
    ring = np.exp(-((np.hypot(across, across[:, np.newaxis]) - 12) ** 2) / 20).reshape(1, -1)
    variants = distort(np.repeat(ring, 20, axis=0), np.random.default_rng(0))
    assert np.abs(variants - ring).max() < 0.02


def test_what_is_outside_the_image_is_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read from far outside, an image of full ink turns up blank, not repeated at its edges."""
    for name in ("ROTATION", "SCALING", "SHEAR", "BEND"):
        monkeypatch.setattr(augmentation, name, 0.0)
    monkeypatch.setattr(augmentation, "SHIFT", 50.0)
    variants = distort(np.ones((30, 64)), np.random.default_rng(0))
    assert (variants == 0).all()


@pytest.mark.parametrize("side", [8, 20, 28])
def test_neighbours_are_displaced_alike(side: int) -> None:
    """The elastic field has the same deviation everywhere, and changes little between pixels."""
    patterns = augmentation._patterns(side)
    amounts, _ = augmentation._amounts(2000, len(patterns), np.random.default_rng(0), 1.0)
    field = (amounts[:, 3:] @ patterns[3:]).reshape(2000, side, side)
    deviations = field.std(axis=0)
    assert deviations == pytest.approx(np.full((side, side), augmentation.BEND), rel=0.1)
    steps = np.diff(field, axis=2).std()
    assert 0 < steps < 1.5 / side / augmentation.SMOOTHNESS * augmentation.BEND


def test_images_that_are_not_square_are_refused() -> None:
    """A number of pixels without a whole root is named."""
    with pytest.raises(ValueError, match=r"images \(3, 401\) are not square"):
        distort(np.zeros((3, 401)), np.random.default_rng(0))
