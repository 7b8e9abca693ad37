"""What all figures have in common: their colours. Imports nothing, as a cached run draws little.

Blue is right, orange is wrong or high: the two differ for any colour vision. Figures
keep a white ground, so that they read the same on a light page, on a dark one and on paper.
"""

INK = "#1c2733"
MUTED = "#5b6875"
HAIRLINE = "#dfe4e9"
BLUE = "#1f5f99"
ORANGE = "#c2410c"
BLUE_STOPS = ("#ffffff", "#8fb8dd", BLUE)  # of a scale from none to much
ORANGE_STOPS = ("#ffffff", "#f6b48f", ORANGE)

NUMBERED = 30  # classes; a confusion matrix of more has cells too small for a count

# What the SVG templates call them: in a file, and in a page with its own light and dark schemes.
OF_A_FILE = {
    "ground": "#ffffff",
    "ink": INK,
    "muted": MUTED,
    "line": HAIRLINE,
    "accent": BLUE,
    "mark": ORANGE,
}
OF_A_PAGE = {name: f"var(--{name})" for name in OF_A_FILE} | {"ground": "var(--card)"}


def blue(share: float) -> tuple[int, int, int]:
    """Return the red, green and blue (0 to 255) of a share (0 to 1) on the blue scale."""
    place = min(max(share, 0.0), 1.0) * (len(BLUE_STOPS) - 1)
    first = min(int(place), len(BLUE_STOPS) - 2)
    low, high = (bytes.fromhex(BLUE_STOPS[stop][1:]) for stop in (first, first + 1))
    red, green, blue = (
        round(a + (b - a) * (place - first)) for a, b in zip(low, high, strict=True)
    )
    return red, green, blue


def is_dark(red: float, green: float, blue: float) -> bool:
    """Whether white type is easier to read on a colour (each part 0 to 1) than dark type."""
    return 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
