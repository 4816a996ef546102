"""Draws one plot as SVG. The output depends only on the figures and the version of matplotlib.

The format of a plot:

    {"title": "…", "kind": "line" | "bar" | "timeline",
     "x": {"label": "…", "log": false}, "y": {"label": "…", "log": false},
     "series": [{"name": "…", "x": […], "y": […]}]}

line: x and y are numbers. bar: x may be texts; the series are drawn next to each other. timeline: one lane per series;
x is the start of an event and y its duration, 0 for a point in time.
"""

import io
import math
import textwrap

import matplotlib

from figures import InvalidFile, only, take

matplotlib.use("svg")

from matplotlib import pyplot, ticker  # noqa: E402  after the choice of a backend

# The colors of docs/drift.svg. The light background keeps the plot readable on a dark page.
PAPER, BORDER, INK, FAINT, GRID = "#fbfbfd", "#d0d3da", "#1f2430", "#5c6370", "#e4e6eb"
# Series also differ in marks and brightness, for readers who cannot distinguish the colors.
COLORS = ["#2f5f94", "#c8553d", "#2f7d4f", "#b8860b", "#7a5aa6", "#3a9a9a", "#8a4b2a", "#9aa1ad"]
MARKS = ["o", "s", "^", "D", "v", "P", "X", "*"]

STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 10,
    "figure.facecolor": PAPER,
    "figure.edgecolor": BORDER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": FAINT,
    "axes.titlecolor": INK,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "grid.color": GRID,
    "legend.frameon": False,
}


def draw(where, identifier, plot):
    """Returns the SVG. The identifier is the seed of the ids inside it."""
    where = f"{where}, plot"
    only(where, plot, ["title", "kind", "x", "y", "series"])
    kinds = {"line": line, "bar": bar, "timeline": timeline}
    kind = take(where, plot, "kind", str)
    if kind not in kinds:
        raise InvalidFile(f'{where}: "kind" is "{kind}"; expected line, bar or timeline')
    series = [checked(where, number, kind, one) for number, one in enumerate(take(where, plot, "series", list))]
    if not series:
        raise InvalidFile(f'{where}: "series" is empty')
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": identifier}):
        height = 1.6 + 0.34 * len(series) if kind == "timeline" else 4.0
        figure, axes = pyplot.subplots(figsize=(8.2, height), layout="constrained", linewidth=2)
        figure.get_layout_engine().set(w_pad=0.15, h_pad=0.15)
        axes.grid(axis="x" if kind == "timeline" else "y")
        kinds[kind](axes, series)
        for name, axis in [("x", axes.xaxis), ("y", axes.yaxis)]:
            scale(f"{where}, {name}", take(where, plot, name, dict, True) or {}, axes, axis, series, kind)
        axes.set_title(take(where, plot, "title", str), loc="left", fontweight="bold", pad=12, wrap=True)
        if len(series) > 1 and kind != "timeline":
            # Outside the axes, where it does not cover data.
            figure.legend(loc="outside lower center", ncols=min(len(series), 4))
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None, "Title": plot["title"]})
        pyplot.close(figure)
    return "".join(line.rstrip() + "\n" for line in drawn.getvalue().splitlines())


def checked(where, number, kind, series):
    where = f"{where}, series {number}"
    only(where, series, ["name", "x", "y"])
    name, x, y = take(where, series, "name", str), take(where, series, "x", list), take(where, series, "y", list)
    if len(x) != len(y) or not x and kind != "timeline":
        raise InvalidFile(f"{where}: {len(x)} x and {len(y)} y; expected the same number of each, and at least one")
    named = kind == "bar" and all(isinstance(value, str) for value in x)
    for value in y if named else x + y:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InvalidFile(f"{where}: found {value!r}; expected a number")
    return name, x, y


def scale(where, wanted, axes, axis, series, kind):
    only(where, wanted, ["label", "log"])
    axis.set_label_text(take(where, wanted, "label", str, True) or "")
    which = axis.axis_name
    if wanted.get("log"):
        values = [value for _, x, y in series for value in (x if which == "x" else y)]
        if any(isinstance(value, str) or value <= 0 for value in values):
            raise InvalidFile(f"{where}: a logarithmic axis needs numbers above 0")
        axes.set_xscale("log") if which == "x" else axes.set_yscale("log")
        axis.set_major_formatter(ticker.FuncFormatter(plain))
        axis.set_minor_formatter(ticker.NullFormatter())
        if max(values) < 100 * min(values):
            # Labels at powers of ten only would be too few.
            axis.set_minor_locator(ticker.LogLocator(subs=(2, 5)))
            axis.set_minor_formatter(ticker.FuncFormatter(plain))
    elif which == "y" and kind != "timeline":
        # Start at 0: a cut axis exaggerates differences.
        axes.set_ylim(bottom=min(0, *axes.get_ylim()))
        axis.set_major_formatter(ticker.FuncFormatter(plain))
    elif which == "x" and kind == "line":
        axis.set_major_formatter(ticker.FuncFormatter(plain))


def plain(value, _position=None):
    """Formats a number as 10 000, not 10^4."""
    return f"{value:,.10g}".replace(",", "\N{NO-BREAK SPACE}")


def line(axes, series):
    for number, (name, x, y) in enumerate(series):
        look = {"color": COLORS[number % len(COLORS)], "marker": MARKS[number % len(MARKS)]}
        axes.plot(x, y, label=name, linewidth=1.8, markersize=5 if len(x) < 60 else 0, **look)


def bar(axes, series):
    places = list(dict.fromkeys(place for _, x, _ in series for place in x))
    width = 0.8 / len(series)
    for number, (name, x, y) in enumerate(series):
        left = [places.index(place) + (number - (len(series) - 1) / 2) * width for place in x]
        bars = axes.bar(left, y, width * 0.94, label=name, color=COLORS[number % len(COLORS)])
        axes.bar_label(bars, [f"{value:.3g}" if abs(value) < 1000 else plain(round(value)) for value in y], fontsize=8,
                       color=FAINT, padding=2)
    shown = [place if isinstance(place, str) else plain(place) for place in places]
    axes.set_xticks(range(len(places)), [textwrap.fill(place, max(8, 84 // len(places))) for place in shown])


def timeline(axes, series):
    for number, (_, begins, lasts) in enumerate(series):
        color = COLORS[number % len(COLORS)]
        spans = [(begin, lasting) for begin, lasting in zip(begins, lasts) if lasting > 0]
        moments = [begin for begin, lasting in zip(begins, lasts) if lasting <= 0]
        axes.broken_barh(spans, (number - 0.3, 0.6), color=color)
        axes.plot(moments, [number] * len(moments), "|", color=color, markersize=11, markeredgewidth=1.6)
    axes.set_yticks(range(len(series)), [name for name, _, _ in series], color=INK)
    axes.set_ylim(len(series) - 0.4, -0.6)
