"""Five pictures of mechanisms, with the numbers that their lessons work out by hand; nothing is measured.

python figures/concepts.py

Draws module01/backward-graph.svg, module03/nf4-block.svg, module04/pack-mask.svg, module05/retrieve-flow.svg and
module05/approach-tree.svg.
"""

import numpy as np
from bitsandbytes.functional import get_4bit_type
from drawing import FROZEN, PLAIN, TRAINS, arrow, box, plots, save, sheet
from matplotlib.patches import Rectangle

GREEN = "#d5ead0"


def show(array):
    return "[" + ", ".join(f"{value:g}" for value in array) + "]"


def backward_graph():
    """1.03: values go right along the arrows, gradients come back below them."""
    x, w = np.array([[1.0, 2], [3, 4]]), np.array([[1.0, -1]])
    y = x @ w.T
    grad_y = y / len(y)
    grads = {"x": grad_y @ w, "w": grad_y.T @ x, "b": grad_y.sum(0)}
    figure, axes = sheet(4.1)
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    inputs = (
        ("x", f"x\n{show(x[0])}\n{show(x[1])}", 30.5, 9.5, FROZEN),
        ("w", f"W\n{show(w[0])}", 17.0, 7.5, TRAINS),
        ("b", "b\n[0]", 5.5, 7.5, TRAINS),
    )
    for name, text, bottom, height, fill in inputs:
        box(axes, 0.5, bottom, 11, height, text, fill=fill)
        middle = bottom + height / 2
        arrow(axes, (11.5, middle + 0.8), (22.5, 21.6 + (middle - 21) / 6))
        arrow(axes, (22.5, 19.6 + (middle - 21) / 6), (11.5, middle - 1.4), line="--")
        gradient = grads[name]
        rows = gradient if name == "x" else [gradient.ravel()]
        axes.text(
            0.8,
            bottom - 0.5,
            "gradient " + ",\n".join(map(show, rows)),
            va="top",
            fontsize=9.5,
            color="#8c2d04",
            bbox=paper,
            zorder=5,
        )
    box(axes, 22.5, 16, 10.5, 9.5, "Y = X Wᵀ + b", fill=PLAIN, fontsize=9)
    box(axes, 40.5, 16, 11, 9.5, "L = mean\nof Y² / 2", fill=PLAIN, fontsize=9)
    arrow(axes, (33, 21.8), (40.5, 21.8))
    arrow(axes, (40.5, 19.4), (33, 19.4), line="--")
    axes.text(36.7, 26.6, f"Y\n{show(y.ravel())}", ha="center", va="bottom", fontsize=9)
    axes.text(
        36.7,
        15,
        f"gradient\n{show(grad_y.ravel())}",
        ha="center",
        va="top",
        fontsize=9.5,
        color="#8c2d04",
        bbox=paper,
        zorder=5,
    )
    axes.text(46, 26.6, f"L = {(y**2 / 2).mean():g}", ha="center", va="bottom", fontsize=9)
    save(figure, "module01_backward_graph")


def nf4_block():
    """3.04: four weights of a block find their levels; with an outlier in the block, three find the level 0."""
    levels = get_4bit_type("nf4", device="cpu").tolist()
    figure, rows = plots(3.2, 2)
    for axes, block in zip(rows, ([0.30, -0.12, 0.05, -0.90], [0.30, -0.12, 0.05, -0.90, 9.0]), strict=True):
        scale = max(abs(weight) for weight in block)
        axes.hlines(0, -1.05, 1.05, color="black", linewidth=1)
        for code, level in enumerate(levels):
            axes.vlines(level, -0.16, 0.16, color="black", linewidth=1)
            axes.text(level, -0.3, code, ha="center", va="top", fontsize=8)
        place = -2.0
        for weight in sorted(block):
            code = min(range(16), key=lambda code: abs(levels[code] - weight / scale))
            place = max(weight / scale, place + 0.18)  # Labels any closer would lie on each other.
            style = {"arrowstyle": "-|>", "lw": 1, "color": "tab:blue"}
            axes.annotate("", (levels[code], 0.18), (place, 0.9), arrowprops=style)
            axes.text(place, 0.95, f"{weight:g}", ha="center", va="bottom", fontsize=9.5, color="tab:blue")
        axes.set(xlim=(-1.12, 1.12), ylim=(-0.85, 1.8), yticks=[])
        axes.set_title(f"block {show(block)}, each divided by {scale:g}", fontsize=10)
        axes.spines[:].set_visible(False)
        axes.set_xticks([-1, 0, 1])
    save(figure, "module03_nf4_block")


def pack_mask():
    """4.02: who sees whom in a pack of two texts: with the causal mask alone, and with the mask of the pack."""
    tokens, texts = ["a", "b", "c", "d", "e", "pad"], np.array([1, 1, 1, 2, 2, 0])
    causal = np.tril(np.ones((6, 6), dtype=bool))
    same = (texts[:, None] == texts[None, :]) & (texts[:, None] != 0)
    figure, axes = sheet(3.3)
    for left, title, mask in ((6, "causal only", causal), (32, "causal, same text", causal & same)):
        axes.text(left + 9, 31.2, title, ha="center", va="center")
        for row, token in enumerate(tokens):
            bottom = 22 - 3.2 * row
            axes.text(left - 0.8, bottom + 1.6, token, ha="right", va="center")
            axes.text(
                left + 1.6 + 3.2 * row, 26.6, token, ha="center", va="center", fontsize=9 if token == "pad" else None
            )
            for column in range(6):
                leaks = mask[row, column] and not same[row, column]
                fill = "#f2c0b0" if leaks else GREEN if mask[row, column] else PLAIN
                cell = Rectangle((left + 3.2 * column, bottom), 3.2, 3.2, fc=fill, ec="0.5", lw=0.7)
                axes.add_patch(cell)
                if leaks:
                    axes.text(left + 3.2 * column + 1.6, bottom + 1.6, "×", ha="center", va="center")
    axes.text(
        26,
        2.2,
        "row: who looks · column: what it sees · ×: another text, or padding",
        ha="center",
        fontsize=8.5,
    )
    save(figure, "module04_pack_mask")


def retrieve_flow():
    """5.05: two programs in a row, and what is measured behind each."""
    figure, axes = sheet(4.3)
    box(axes, 16, 37, 20, 5, "question")
    box(axes, 2, 25.5, 21, 6.5, "by words: BM25,\nrare words count more", fill=FROZEN, fontsize=9.5)
    box(axes, 29, 25.5, 21, 6.5, "by vectors: cosine\nof two embeddings", fill=TRAINS, fontsize=9.5)
    box(axes, 9, 15.5, 34, 5, "a ranking: the first k passages", fill=PLAIN)
    box(axes, 9, 4.5, 34, 5, "a reader: prompt with question and passages", fill=TRAINS, fontsize=9.5)
    for start, end in (
        ((22, 37), (12.5, 32)), ((30, 37), (39.5, 32)), ((12.5, 25.5), (20, 20.5)), ((39.5, 25.5), (32, 20.5)),
        ((26, 15.5), (26, 9.5)), ((26, 4.5), (26, 1.2)),
    ):  # fmt: skip
        arrow(axes, start, end)
    axes.text(27.2, 12.5, "measure here: recall@k, MRR", va="center", fontsize=9.5, color="#8c2d04")
    axes.text(27.2, 2.4, "measure here: is the answer right?", va="center", fontsize=9.5, color="#8c2d04")
    save(figure, "module05_retrieve_flow")


def approach_tree():
    """5.08: the table of the exercise as a tree; the card has the last word where something is fine-tuned."""
    figure, axes = sheet(5.0)
    boxes = (
        (1, 42, 22, "a new modality?", PLAIN), (1, 30, 22, "is knowledge missing?", PLAIN),
        (1, 18, 22, "is form missing, and are\nthere 50 examples?", PLAIN), (1, 6, 22, "prompt", FROZEN),
        (29, 42, 22, "from scratch", FROZEN), (29, 30, 22, "is form missing, too?", PLAIN),
        (29, 18, 9.5, "retrieval", FROZEN), (40, 18, 11, "retrieval and\nfine-tuning", TRAINS),
        (29, 6, 22, "fine-tuning", TRAINS),
    )  # fmt: skip
    for left, bottom, width, text, fill in boxes:
        box(axes, left, bottom, width, 6, text, fill=fill, fontsize=9.5)
    arrows = (
        ((23, 45), (29, 45), "yes"), ((12, 42), (12, 36), "no"), ((23, 33), (29, 33), "yes"),
        ((12, 30), (12, 24), "no"), ((23, 19.5), (29, 10.5), "yes"), ((12, 18), (12, 12), "no"),
        ((33.8, 30), (33.8, 24), "no"), ((45.5, 30), (45.5, 24), "yes"),
    )  # fmt: skip
    for start, end, said in arrows:
        arrow(axes, start, end)
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        if start[1] == end[1]:
            axes.text(middle[0], middle[1] + 0.6, said, ha="center", va="bottom", fontsize=9)
        else:
            axes.text(middle[0] + 1, middle[1], said, ha="left", va="center", fontsize=9)
    rest = "blue: full fine-tuning if it fits the card, else LoRA, else QLoRA, else without"
    axes.text(1, 2.5, rest, ha="left", va="center", fontsize=8.5)
    save(figure, "module05_approach_tree")


if __name__ == "__main__":
    for draw in (backward_graph, nf4_block, pack_mask, retrieve_flow, approach_tree):
        draw()
