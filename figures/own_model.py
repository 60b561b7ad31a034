"""The two projects that ship, for real: SmolLM2 on a CPU or a GPU, with several seeds. JSON, and the report's pictures.

    python figures/own_model.py                          both projects, three seeds
    python figures/own_model.py --seeds 1 --only films   one of them, once
    python figures/own_model.py --variants               film reviews once more, with half of the parts a learner's own
    python figures/own_model.py --steps 20 --items 40    smaller, for a slow machine; the results say so

Each run is `tunelings project new` and `run` as a learner types them, in a folder of its own under runs/own_model/, so
that an interrupted measurement goes on. What a run has measured is in figures/results/own_model.json.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))
from tunelings.course import Course  # noqa: E402
from tunelings.project import config  # noqa: E402
from tunelings.project.folder import Folder  # noqa: E402
from tunelings.project.parts import Parts  # noqa: E402
from tunelings.project.report import whose  # noqa: E402
from tunelings.project.steps import STEPS  # noqa: E402

RUNS = ROOT / "runs" / "own_model"
RESULTS = HERE / "results" / "own_model.json"
NAMES = {"smollm2": "SmolLM2-135M-Instruct"}
COPIED = ("exercises", "solutions", "checks", "docs", "data")
# Parts whose kept right answers stand for a learner's: each is written in another way than the reference. What
# generators draw is free in 4.06, 5.03 and 5.06: another right answer of theirs makes another split or interval.
VARIANTS = ("1.07", "1.09", "2.05", "2.06", "3.08", "4.01", "4.03", "4.04", "4.09")


def command(*words: str, course: Path = ROOT) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", "from tunelings.commands.cli import main; main()", *words]
    subprocess.run(command, check=True, cwd=course, env=environment)


def course_of_variants() -> Path:
    """A copy of the course in which some exercises are done, by the first of their kept right answers."""
    place = RUNS / "course"
    if not place.exists():
        for name in COPIED:
            shutil.copytree(ROOT / name, place / name)
    course = Course(place)
    for number in VARIANTS:
        if Parts(course).choice(number).is_mine:
            continue
        exercise = course.find(number)
        kept = ROOT / "tests" / "answers" / "right" / exercise.module / exercise.name
        shutil.copyfile(sorted(kept.glob("*.py"))[0], exercise.answer_path)
        command("run", number, course=place)  # its checks pass, so that the project takes the file
    return place


def run(example: str, seed: int, chosen: argparse.Namespace, course: Path = ROOT) -> Folder:
    """A project, run to its end; another seed than 0 trains anew, on the data and beside the baselines of seed 0."""
    folder = Folder(RUNS / f"{example}-{seed}{'-variants' * (course != ROOT)}")
    if seed and not folder.path.exists():
        shutil.copytree(RUNS / f"{example}-0", folder.path)
        change(folder.settings, r"(^\[train\][^\[]*^seed = )\d+", rf"\g<1>{seed}")
    if not folder.settings.exists():
        steps = ["--steps", str(chosen.steps)] if chosen.steps else []
        words = ["project", "new", str(folder.path), "--example", example, "--model", chosen.model, *steps]
        command(*words, course=course)
        if chosen.items:
            change(folder.settings, r"(^items = )\d+", rf"\g<1>{chosen.items}")
    command("project", "run", str(folder.path), course=course)
    return folder


def change(path: Path, pattern: str, new: str) -> None:
    text, count = re.subn(pattern, new, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if count != 1:
        raise SystemExit(f"{path}: {pattern} stands there {count} times.")
    path.write_text(text, encoding="utf-8")


def numbers(folder: Folder) -> dict:
    """What the lesson and the closing note ask of a run."""
    compared, trained, data = (folder.result(step) for step in ("compare", "train", "data"))
    return {
        "rows": data["written"],
        "systems": compared["systems"],
        "verdict": compared["verdict"],
        "forgotten": compared["forgotten"],
        "items": compared["items"],
        "shots": config.load(folder).compare.shots,
        "training": {key: trained[key] for key in ("technique", "steps", "best_val_loss", "seconds", "trained")},
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--model", default="smollm2")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--only", choices=["films", "docs"])
    options.add_argument("--steps", type=int)
    options.add_argument("--items", type=int)
    options.add_argument("--variants", action="store_true")
    chosen = options.parse_args()
    RUNS.mkdir(parents=True, exist_ok=True)
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results |= {"model": chosen.model, "model_name": NAMES.get(chosen.model, chosen.model)}
    if chosen.variants:
        folder = run("films", 0, chosen, course_of_variants())
        used = whose({step: folder.result(step) for step in STEPS})
        mine = [number for number, part in used.items() if part["mine"]]
        results["variants"] = {"mine": mine, "parts": len(used), "films": numbers(folder)}
        save(results)
        return
    for example in [chosen.only] if chosen.only else ["films", "docs"]:
        folders = [run(example, seed, chosen) for seed in range(chosen.seeds)]
        results[example] = [numbers(folder) for folder in folders]
        for name in ("curves", "differences"):
            shutil.copyfile(
                folders[0].report / f"{name}.png", ROOT / "docs" / "assets" / f"own-model-{example}-{name}.png"
            )
    save(results)


def save(results: dict) -> None:
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
