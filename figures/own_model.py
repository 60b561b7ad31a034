"""The two projects that ship, for real: SmolLM2 on a CPU or a GPU, with several seeds. JSON, and the report's pictures.

    python figures/own_model.py                          both projects, three seeds
    python figures/own_model.py --seeds 1 --only films   one of them, once
    python figures/own_model.py --steps 20 --items 40    smaller, for a slow machine; the results say so

Each run is `tunelings project new` and `run` as a learner types them, in a folder of its own under runs/own_model/, so
that an interrupted measurement goes on. What a run has measured is in figures/results/own_model.json.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))
from tunelings.project.folder import Folder  # noqa: E402

RUNS = ROOT / "runs" / "own_model"
RESULTS = HERE / "results" / "own_model.json"


def command(*words: str) -> None:
    subprocess.run(
        [sys.executable, "-c", "from tunelings.commands.cli import main; main()", *words], check=True, cwd=ROOT
    )


def run(example: str, seed: int, chosen: argparse.Namespace) -> Folder:
    folder = Folder(RUNS / f"{example}-{seed}")
    if not folder.settings.exists():
        steps = ["--steps", str(chosen.steps)] if chosen.steps else []
        command("project", "new", str(folder.path), "--example", example, "--model", chosen.model, *steps)
        text = re.sub(r"^seed = 0", f"seed = {seed}", folder.settings.read_text(encoding="utf-8"), flags=re.MULTILINE)
        if chosen.items:
            text = re.sub(r"^items = \d+", f"items = {chosen.items}", text, flags=re.MULTILINE)
        folder.settings.write_text(text, encoding="utf-8")
    command("project", "run", str(folder.path))
    return folder


def numbers(folder: Folder) -> dict:
    """What the lesson and the closing note ask of a run."""
    compared, trained, data = (folder.result(step) for step in ("compare", "train", "data"))
    return {
        "rows": data["written"],
        "systems": compared["systems"],
        "verdict": compared["verdict"],
        "forgotten": compared["forgotten"],
        "items": compared["items"],
        "training": {key: trained[key] for key in ("technique", "steps", "best_val_loss", "seconds", "trained")},
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--model", default="smollm2")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--only", choices=["films", "docs"])
    options.add_argument("--steps", type=int)
    options.add_argument("--items", type=int)
    chosen = options.parse_args()
    RUNS.mkdir(parents=True, exist_ok=True)
    results = {"model": chosen.model}
    for example in [chosen.only] if chosen.only else ["films", "docs"]:
        folders = [run(example, seed, chosen) for seed in range(chosen.seeds)]
        results[example] = [numbers(folder) for folder in folders]
        for name in ("curves", "differences"):
            shutil.copyfile(
                folders[0].report / f"{name}.png", ROOT / "docs" / "assets" / f"own-model-{example}-{name}.png"
            )
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
