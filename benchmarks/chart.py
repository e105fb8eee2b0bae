"""Draw bars of answers per second as SVG, one panel per query, readable on light and dark backgrounds."""

from collections.abc import Sequence
from html import escape

from benchmarks.figures import Row

WIDTH, BAR, GAP, LEFT_MARGIN, RIGHT_MARGIN, TITLE = 760, 16, 6, 130, 110, 34
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600 }
.bar { fill: #8c959f } .ours { fill: #0969da } .bound { fill: none; stroke: #8c959f }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .bar { fill: #6e7681 } .ours { fill: #58a6ff } .bound { stroke: #6e7681 }
}
"""


def draw_chart(rows: Sequence[Row]) -> str:
    """Draw the chart. Each panel has its own scale, in which the bar of the fastest server has the full width."""
    parts, top = [], 0
    for query in dict.fromkeys(row.query for row in rows):
        panel = [row for row in rows if row.query == query]
        parts.append(f'<text class="title" x="0" y="{top + 20}">{query}, answers per second</text>')
        parts += [_draw_bar(row, max(each.rps for each in panel), top + TITLE + at * (BAR + GAP)) for at, row in enumerate(panel)]
        top += TITLE + len(panel) * (BAR + GAP) + GAP
    body = "\n".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img">
<title>Answers per second</title>
<style>{STYLE}</style>
{body}
</svg>
"""


def _draw_bar(row: Row, most: float, top: int) -> str:
    width = max(1, round((WIDTH - LEFT_MARGIN - RIGHT_MARGIN) * row.rps / most))
    kind = {"relaties": "ours", "bound": "bound"}.get(row.server, "bar")
    base = top + BAR - 3
    return (
        f'<text x="0" y="{base}">{escape(row.server)}</text>'
        f'<rect class="{kind}" x="{LEFT_MARGIN}" y="{top}" width="{width}" height="{BAR}"/>'
        f'<text x="{LEFT_MARGIN + width + 6}" y="{base}">{row.rps:,.0f}</text>'
    )
