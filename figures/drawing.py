"""What the drawings of lessons share: their width, boxes and arrows, and a file with the same bytes in every run.

python figures/drawing.py module05_choose_approach     draws a picture again from its stored results

A sheet is measured in tenths of an inch. It is narrow so that its letters can still be read on a phone.
"""

import importlib
import json
import sys
from pathlib import Path

from matplotlib import rcParams
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WIDTH = 5.2  # inches
TRAINS, FROZEN, PLAIN = "#b9d7f0", "#e3e3e3", "#ffffff"  # light, for black text; turned over in the dark scheme
rcParams["font.size"] = 10.5
rcParams["hatch.linewidth"] = 0.6


def results_of(name):
    return json.loads((HERE / "results" / f"{name}.json").read_text(encoding="utf-8"))


def drawing_path(name):
    """The drawing of a script, beside the lesson: "module04_deduplicate" draws docs/module04/deduplicate.svg."""
    module, _, rest = name.partition("_")
    return ROOT / "docs" / module / f"{rest.replace('_', '-')}.svg"


def plots(height, rows=1, **options):
    """A figure and its axes, one above the other."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, **options)


def sheet(height, part=1.0):
    """A figure and an empty sheet that takes the upper part of it."""
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 1 - part, 1, part))
    axes.set(xlim=(0, 10 * WIDTH), ylim=(0, 10 * height * part))
    axes.axis("off")
    return figure, axes


def box(axes, x, y, width, height, text="", fill=PLAIN, hatch=None, line="-", **style):
    """A box with its lower left corner at x, y, and a text in its middle."""
    edge = "0.5" if hatch else "black"
    axes.add_patch(Rectangle((x, y), width, height, fc=fill, ec=edge, hatch=hatch, ls=line, lw=0.8))
    if text:
        backing = {"facecolor": fill, "edgecolor": "none", "pad": 1.2} if hatch else None
        axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", bbox=backing, **style)


def arrow(axes, start, end, line="-", curve=0.0, width=1.2):
    style = {"arrowstyle": "-|>", "ls": line, "lw": width, "color": "black", "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops={**style, "connectionstyle": f"arc3,rad={curve}"})


def draw_again(name):
    """The picture of a script from its stored results, for those whose `draw` takes them: nothing is measured."""
    importlib.import_module(name).draw(results_of(name))


def save(figure, name):
    rcParams["svg.hashsalt"] = name
    figure.savefig(drawing_path(name), metadata={"Date": None})


if __name__ == "__main__":
    draw_again(sys.argv[1])
