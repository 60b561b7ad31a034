"""Measures how the time and the memory of 4.10 grow: the reference solution on 1,000, 10,000 and 100,000 records.

The records are questions and answers of six random sentences of the Python documentation; one in ten is a copy of an
earlier one, equal or nearly so, 2% are refusals and 1% broken. Each size runs in a process of its own with SmolLM2's
tokenizer (`tunelings models get smollm2`), on one thread; times are CPU seconds, without imports.
Run: python figures/module04_instruction_scale.py [SIZE …]   (100,000 records take some minutes and 2 GB of disk)
"""

import gzip
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NAME = Path(__file__).stem
ROOT = Path(__file__).resolve().parents[1]
SIZES = [1000, 10_000, 100_000]


def sentences() -> list[str]:
    with gzip.open(ROOT / "data" / "pydocs" / "passages.jsonl.gz", "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    prose = " ".join(
        p.replace("\n", " ") for t in texts for p in t.split("\n\n") if not re.search(r"^   |>>>", p, re.M)
    )
    found = {" ".join(s.split()) for s in re.split(r"(?<=[.!?]) +", prose)}
    return sorted(s for s in found if 8 <= len(s.split()) <= 25 and s[-1] == "." and "`" not in s)


def write_records(path: Path, count: int) -> None:
    rng, known, recent = random.Random(0), sentences(), []
    with path.open("w", encoding="utf-8") as file:
        for _ in range(count):
            kind = rng.random()
            if kind < 0.1 and recent:
                question, answer = rng.choice(recent)
                answer = (
                    answer if kind < 0.05 else f"{answer} {rng.choice(['Good luck.', 'See above.', 'That is all.'])}"
                )
            else:
                words = rng.choice(known).split()[:6]
                question, answer = f"How do I {' '.join(words).lower()}?", " ".join(rng.choices(known, k=6))
                recent = [*recent[-999:], (question, answer)]
            if kind > 0.98:
                answer = "I'm sorry, but I can't help with that."
            line = json.dumps({"prompt": question, "completion": answer})
            file.write((line[:50] if 0.97 < kind <= 0.98 else line) + "\n")


def child(count: int) -> dict:
    from datasets import disable_progress_bars
    from transformers import AutoTokenizer

    from tunelings.course import Course
    from tunelings.grading import answers
    from tunelings.handson import models

    disable_progress_bars()
    answer = answers.load(answers.read(Course(ROOT).find("4.10").solution_path))
    tokenizer = AutoTokenizer.from_pretrained(models.find("smollm2"))
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "raw.jsonl")
        write_records(raw, 100)
        answer.prepare(raw, Path(folder, "warm"), tokenizer, answer.Config(max_length=1024))  # Imports, first calls.
        write_records(raw, count)
        size, before = raw.stat().st_size, peak()
        start = time.process_time()
        report = answer.prepare(raw, Path(folder, "out"), tokenizer, answer.Config(max_length=1024))
        return {
            "cpu_seconds": round(time.process_time() - start, 1),
            "megabytes_before": before,
            "megabytes_peak": peak(),
            "megabytes_raw": round(size / 1e6, 1),
            "report": report._asdict(),
        }


def peak() -> int:
    """The most memory that this process has had, in megabytes (Linux counts in KiB, macOS in bytes)."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most * (1 if sys.platform == "darwin" else 1024) / 1e6)


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    results = {}
    for size in sizes:
        command = [sys.executable, __file__, "--child", str(size)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        results[f"{size:,}"] = json.loads(done.stdout.splitlines()[-1])
        print(f"{size:,}", results[f"{size:,}"], flush=True)
    if len(sizes) > 1:
        names = list(results)
        for smaller, larger in zip(names, names[1:], strict=False):
            times = results[larger]["cpu_seconds"] / results[smaller]["cpu_seconds"]
            results[larger]["times_the_seconds_of_the_size_before"] = round(times, 1)
        text = json.dumps(results, indent=1, sort_keys=True)
        (Path(__file__).parent / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
        print(text)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(child(int(sys.argv[2]))))
    else:
        main()
