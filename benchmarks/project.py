"""What a project costs beyond the training itself, and the memory of preparing 100,000 rows.

    python benchmarks/project.py                   both, on the tiny model
    python benchmarks/project.py --model smollm2   the overhead on a real model; the smaller it is, the more it shows
    python benchmarks/project.py --only memory     the memory alone (--rows 30000 for fewer)
    python benchmarks/project.py --write           also into figures/results/project.json, which the page shows

Overhead: processor time of an update of the project (1.07, 2.05, what they are wrapped in) over that of a plain loop on
the same batches, in turn and in one run, so that the load of the machine cancels. Memory: the peak of the whole child
process. The results are printed as JSON; `--write` puts them beside those of other models and of earlier runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
RESULTS = ROOT / "figures" / "results" / "project.json"
ROUNDS, UPDATES = 7, 6


def overhead(model_name: str) -> dict:
    import torch
    from accelerate import Accelerator
    from torch.optim.lr_scheduler import LambdaLR

    from tunelings.course import Course
    from tunelings.project import base, shipped, updates
    from tunelings.project.config import Config
    from tunelings.project.examples import Reader
    from tunelings.project.parts import Parts
    from tunelings.project.prepared import prepared, trainable_of

    base.quiet()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shipped.films(folder)
        rows = [json.loads(line) for line in (folder / "data.jsonl").open(encoding="utf-8")]
        path = base.resolve(model_name, folder)
        technique = "full" if model_name == base.TINY else "lora"
        config = Config.model_validate(
            {"model": model_name, "data": {"path": "x", "kind": "chat"}, "compare": {"metric": "exact_match"},
             "train": {"technique": technique, "batch_size": 4, "accumulation": 2, "epochs": 10}}
        )  # fmt: skip
        parts = Parts(Course(ROOT))
        model, _, kind = prepared(config, path, technique, [], parts, base.device())
        turns = (
            ({"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["completion"]})
            for row in rows
        )
        examples = kind.examples([{"messages": list(pair)} for pair in turns])
        run = updates.Run(config, folder, parts, Accelerator(), kind, model, Reader(model), examples, [], 4, 2)
        run.trainable = trainable_of(model)
        model.train()
        optimizer = torch.optim.AdamW(run.trainable.parameters(), lr=1e-5)
        scheduler = LambdaLR(optimizer, updates.share_of(run))

        def project(step: int) -> None:
            updates.update(run, optimizer, scheduler, step)

        def plain(step: int) -> None:
            """Forward, backward, step, and nothing else."""
            optimizer.zero_grad()
            for chosen in updates.chosen_for(run, step):
                inputs, labels = kind.batch(chosen)
                model(input_ids=inputs[:, 0], attention_mask=inputs[:, 1], labels=labels).loss.backward()
            optimizer.step()
            scheduler.step()

        ratios = []
        for turn in range(ROUNDS + 1):
            seconds = {}
            for way in (project, plain) if turn % 2 else (plain, project):
                start = time.process_time()
                for step in range(UPDATES):
                    way(step)
                seconds[way.__name__] = time.process_time() - start
            ratios.append(seconds["project"] / seconds["plain"])
        ratios = ratios[1:]  # The first round warms up.
    return {
        "technique": technique,
        "overhead": statistics.median(ratios) - 1,
        "rounds": [ratio - 1 for ratio in ratios],
    }


def memory(rows: int) -> dict:
    """Peak memory in MB of a child that prepares the rows with labels, as the data step does."""
    child = subprocess.run(
        [sys.executable, __file__, "--child", "--rows", str(rows)], capture_output=True, text=True, cwd=ROOT
    )
    if child.returncode:
        raise SystemExit(child.stderr)
    return json.loads(child.stdout.splitlines()[-1])


def write_rows(path: Path, rows: int) -> None:
    """Texts of 30 random words with one of 20 labels; each hundredth says again what the row before it says."""
    draw, text = random.Random(0), ""
    with open(path, "w", encoding="utf-8") as file:
        for number in range(rows):
            if number % 100 != 99:
                text = " ".join(f"w{draw.randrange(50_000)}" for _ in range(30))
            file.write(json.dumps({"text": text, "label": f"l{number % 20}"}) + "\n")


def prepare_in_child(rows: int) -> None:
    from tunelings.course import Course
    from tunelings.project import base
    from tunelings.project.config import Config
    from tunelings.project.data import prepare
    from tunelings.project.parts import Parts
    from tunelings.project.say import Say

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        # The tokenizer alone: a model of random weights is made in a process of its own, since it needs torch.
        made = f"from pathlib import Path; from tunelings.project import base; base.make_tiny(Path({place!r}) / 'tiny')"
        subprocess.run([sys.executable, "-c", made], check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        write_rows(folder / "data.jsonl", rows)
        config = Config.model_validate(
            {"model": "tiny", "data": {"path": "data.jsonl", "kind": "labels"}, "train": {"technique": "full"},
             "compare": {"metric": "exact_match"}}
        )  # fmt: skip
        tokenizer = base.tokenizer_of(folder / "tiny", is_chat=True, to_count=True)
        start, work = time.process_time(), folder / "work"
        work.mkdir()
        found = prepare(config, folder, work, Parts(Course(ROOT)), tokenizer, Say())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "peak_mb": peak, "processor_seconds": time.process_time() - start,
                      "torch_imported": "torch" in sys.modules, "written": found["written"],
                      "duplicates": found["duplicates"]["count"]}))  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--model", default="tiny")
    options.add_argument("--only", choices=["overhead", "memory"])
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--write", action="store_true", help="write figures/results/project.json, for the docs")
    options.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.child:
        prepare_in_child(chosen.rows)
        return
    results: dict = {}
    if chosen.only != "memory":
        results["overhead"] = {chosen.model: overhead(chosen.model)}
    if chosen.only != "overhead":
        results["memory"] = memory(chosen.rows)
    print(json.dumps(results, indent=1))
    if chosen.write:
        write(results)


def write(results: dict) -> None:
    """Replace what was measured now, and keep the rest of the file."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results["overhead"] = kept.get("overhead", {}) | results.get("overhead", {})
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    kept |= results | {"cores": os.cpu_count(), "machine": machine}
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
