"""Plots as inline SVG: lines and bars, readable without colours, nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, MARGIN = 360, 300, 40
BAR_HEIGHT, LABEL_WIDTH, BAR_WIDTH, VALUE_WIDTH = 18, 230, 300, 90


def calibration_plot(points: Sequence[tuple[float, float]]) -> str:
    """Draw the actual against the predicted rate, beside the diagonal of perfect calibration."""
    top = max([0.1, *(value for point in points for value in point)])

    def place(x: float, y: float) -> str:
        across = MARGIN + x / top * (WIDTH - 2 * MARGIN)
        return f"{across:.1f},{HEIGHT - MARGIN - y / top * (HEIGHT - 2 * MARGIN):.1f}"

    line = " ".join(place(x, y) for x, y in points)
    dots = "".join(
        '<circle r="3" cx="{}" cy="{}"/>'.format(*place(x, y).split(",")) for x, y in points
    )
    start, end = place(0, 0), place(top, top)
    return _svg(
        WIDTH,
        HEIGHT,
        f'<polyline class="ideal" points="{start} {end}"/>'
        f'<polyline class="line" points="{line}"/>{dots}'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">predicted rate</text>'
        f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 24}" text-anchor="end">{top:.2f}</text>'
        f'<text x="8" y="{MARGIN - 12}">actual rate</text>',
        "Calibration: actual against predicted rate",
    )


def bars(values: Mapping[str, float], title: str, digits: int = 4) -> str:
    """Draw one bar a value from a common zero; negative ones go to the left."""
    low = min([0.0, *values.values()])
    span = max([0.0, *values.values()]) - low or 1.0
    zero = LABEL_WIDTH - low / span * BAR_WIDTH
    rows = []
    for index, (name, value) in enumerate(values.items()):
        y = index * BAR_HEIGHT
        length = abs(value) / span * BAR_WIDTH
        start = zero if value >= 0 else zero - length
        rows.append(
            f'<text x="{LABEL_WIDTH - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{start:.1f}" y="{y + 3}" width="{length:.1f}" height="12"/>'
            f'<text x="{LABEL_WIDTH + BAR_WIDTH + 8}" y="{y + 13}">{value:.{digits}f}</text>'
        )
    width = LABEL_WIDTH + BAR_WIDTH + VALUE_WIDTH
    return _svg(width, max(len(values), 1) * BAR_HEIGHT + 4, "".join(rows), title)


def intervals(values: Mapping[str, tuple[float, float, float]], title: str) -> str:
    """Draw value and interval (value, low, high) a line, with a mark at zero."""
    ends = [0.0, *(end for three in values.values() for end in three)]
    low, span = min(ends), max(ends) - min(ends) or 1.0

    def place(value: float) -> float:
        return LABEL_WIDTH + (value - low) / span * BAR_WIDTH

    bottom = max(len(values), 1) * BAR_HEIGHT
    rows = [f'<line class="ideal" x1="{place(0):.1f}" x2="{place(0):.1f}" y1="0" y2="{bottom}"/>']
    for index, (name, (value, least, most)) in enumerate(values.items()):
        y = index * BAR_HEIGHT + 9
        rows.append(
            f'<text x="{LABEL_WIDTH - 8}" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
            f'<line class="line" x1="{place(least):.1f}" x2="{place(most):.1f}" y1="{y}" y2="{y}"/>'
            f'<circle r="3" cx="{place(value):.1f}" cy="{y}"/>'
            f'<text x="{LABEL_WIDTH + BAR_WIDTH + 8}" y="{y + 4}">{value:+.4f}</text>'
        )
    return _svg(LABEL_WIDTH + BAR_WIDTH + VALUE_WIDTH, bottom + 4, "".join(rows), title)


def _svg(width: float, height: float, content: str, title: str) -> str:
    return (
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"><title>{escape(title)}</title>{content}</svg>'
    )
