"""report.md and report.html with pictures: everything that was measured, and whose code has measured it."""

from __future__ import annotations

import base64
import html
import re
from pathlib import Path
from typing import Any

import jinja2
import markdown
from matplotlib.figure import Figure

from tunelings.project import folder as files
from tunelings.project.config import Config
from tunelings.project.folder import CURVES, Folder
from tunelings.project.new import LEFT_OUT, duration
from tunelings.project.parts import counted
from tunelings.project.steps import STEPS
from tunelings.project.verdict import words

HERE = Path(__file__).parent
CELL = 300  # characters of a text in a table


def write(folder: Folder, config: Config) -> None:
    """Write the report from the steps that are done; what was not measured is said to be so."""
    results = {step: folder.result(step) for step in STEPS}
    folder.report.mkdir(exist_ok=True)
    files.remove_unfinished(folder.report)
    pictures = draw(folder, results)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"cell": cell, "words": words, "duration": duration, "places": places}
    used = whose(results)
    text = environment.get_template("report.md.jinja").render(
        name=folder.name, config=config, pictures=pictures, used=used, counted=counted(used) if used else "",
        left_out=LEFT_OUT, still_falling=still_falling(folder), **results,
    )  # fmt: skip
    files.write(folder.report / "report.md", text)
    files.write(folder.report / "report.html", page(folder, text))


def is_current(folder: Folder) -> bool:
    """Whether it was written, to its last file, after every step that is done."""
    last = folder.report / "report.html"
    results = [path for step in STEPS if (path := folder.done(step) / files.RESULT).exists()]
    return last.exists() and all(last.stat().st_mtime_ns >= path.stat().st_mtime_ns for path in results)


def whose(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The parts of all steps; one that was the reference in any step is not counted as the learner's."""
    used: dict[str, dict[str, Any]] = {}
    for result in results.values():
        for number, part in (result or {}).get("parts", {}).items():
            before = used.get(number, part)
            used[number] = {**part, "mine": part["mine"] and before["mine"]}
    return dict(sorted(used.items()))


def still_falling(folder: Folder) -> bool:
    """Whether the last look at the validation part was the best of several."""
    losses = [row["val_loss"] for row in files.lines(folder.done("train") / CURVES) if "val_loss" in row]
    return len(losses) > 1 and losses[-1] < min(losses[:-1])


def cell(text: str) -> str:
    """A text in one cell of a Markdown table."""
    line = " ".join(str(text).split())
    line = line if len(line) <= CELL else line[: CELL - 1] + "…"
    escaped = re.sub(r"([\\`*_{}\[\]|#])", r"\\\1", line)
    return html.escape(escaped, quote=False)  # A page shows the backslash before a <.


def places(kind: dict[str, Any]) -> str:
    shown = ", ".join(f"{place}{f' ({cell(why)})' if why else ''}" for place, why in kind["first"])
    return shown + (" …" if kind["count"] > len(kind["first"]) else "")


def page(folder: Folder, text: str) -> str:
    """The same as one HTML file, with the pictures in it."""
    body = markdown.markdown(text, extensions=["tables"])

    def inline(match: re.Match[str]) -> str:
        content = base64.b64encode((folder.report / match[1]).read_bytes()).decode()
        return f'src="data:image/png;base64,{content}"'

    body = re.sub(r'src="([\w-]+\.png)"', inline, body)
    body = body.replace("<table>", '<div class="table"><table>').replace("</table>", "</table></div>")
    template = (HERE / "report.html.jinja").read_text(encoding="utf-8")
    return jinja2.Template(template, autoescape=False).render(name=folder.name, body=body)


# ---------------------------------------------------------------- pictures
def draw(folder: Folder, results: dict[str, Any]) -> dict[str, str]:
    """The pictures of the steps that are done, as files beside the report."""
    made = {}
    if results["train"]:
        draw_curves(list(files.lines(folder.done("train") / CURVES)), folder.report / "curves.png")
        made["curves"] = "curves.png"
    if results["compare"]:
        draw_differences(results["compare"], folder.report / "differences.png")
        made["differences"] = "differences.png"
    return made


def draw_curves(curves: list[dict[str, Any]], path: Path) -> None:
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    updates = [row for row in curves if "loss" in row]
    measured = [row for row in curves if "val_loss" in row]
    axes.plot([r["step"] for r in updates], [r["loss"] for r in updates], color="0.6", lw=1, label="training")
    axes.plot(
        [r["step"] for r in measured], [r["val_loss"] for r in measured], "o-", color="tab:blue", label="validation"
    )
    axes.set(xlabel="update", ylabel="loss")
    axes.legend()
    figure.savefig(path, dpi=110)


def draw_differences(compared: dict[str, Any], path: Path) -> None:
    """Each paired difference with its interval; zero is the line that an interval must not touch."""
    against = compared["verdict"]["against"]
    figure = Figure(figsize=(7, 0.8 + 0.45 * len(against)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(against.values()):
        axes.plot([row["low"], row["high"]], [place, place], color="tab:blue", lw=3, solid_capstyle="butt")
        axes.plot(row["mean"], place, "o", color="black")
    axes.axvline(0, color="0.4", lw=1, ls="--")
    axes.set_yticks(range(len(against)), labels=[f"minus {words(name)}" for name in against])
    axes.set_ylim(len(against) - 0.5, -0.5)
    # Of the figure: the axes are narrower than it where a baseline's name is long.
    figure.supxlabel("score of the customized model minus the baseline's, 95% interval", fontsize="medium")
    figure.savefig(path, dpi=110)
