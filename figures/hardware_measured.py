"""Measures on a GPU what the hardware page computes: two training steps each of BERT-base and of models of 1B to 8B.

python figures/hardware_measured.py

It needs an NVIDIA GPU and nothing else: weights are random, and nothing is downloaded. A run that doesn't fit the card
is listed as too large. Each run has a process of its own, so most of the time goes to imports and to drawing weights.
Writes results/hardware_measured.json with the name of the card. The page says "not measured" without it.
"""

from pathlib import Path

from tunelings.commands import measuring
from tunelings.handson import measure
from tunelings.handson.hardware import BERT_RUN
from tunelings.handson.memory import PRESETS, Run

OUT = Path(__file__).parent / "results" / f"{Path(__file__).stem}.json"
# As in the table of the page: batch 1, 512 tokens, checkpointing, rank 16; the last one is the longest.
RUNS = {
    "BERT-base, full, float32, 32 × 128, eager attention": BERT_RUN,
    "Llama 3.2 1B, full": Run(PRESETS["Llama 3.2 1B"], "full"),
    "Llama 3.2 1B, LoRA": Run(PRESETS["Llama 3.2 1B"], "lora"),
    "Llama 3.2 3B, LoRA": Run(PRESETS["Llama 3.2 3B"], "lora"),
    "Llama 3.2 3B, QLoRA": Run(PRESETS["Llama 3.2 3B"], "qlora"),
    "Llama 2 7B, full": Run(PRESETS["Llama 2 7B"], "full"),
    "Llama 2 7B, LoRA": Run(PRESETS["Llama 2 7B"], "lora"),
    "Llama 2 7B, LoRA, no checkpointing": Run(PRESETS["Llama 2 7B"], "lora", checkpointing=False),
    "Llama 2 7B, QLoRA": Run(PRESETS["Llama 2 7B"], "qlora"),
    "Llama 3.1 8B, QLoRA, 2 × 2,048": Run(PRESETS["Llama 3.1 8B"], "qlora", batch=2, length=2048),
}


def main() -> None:
    where = measure.room()
    if where.device != "cuda":
        raise SystemExit("This needs an NVIDIA GPU that torch sees; `tunelings doctor --measure` measures without one.")
    steps = [measure.Step(name, sum(run.parts().values()), run) for name, run in RUNS.items()]
    results = []
    for result in measure.measure(steps, where):
        results.append(result)
        print(result, flush=True)
        OUT.write_text(measuring.as_json(where, results), encoding="utf-8")
    if failed := [result.name for result in results if result.state == measure.FAILED]:
        raise SystemExit(f"Failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
