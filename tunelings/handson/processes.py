"""Two processes train one adapter: the answer of 3.12 on a tiny Llama, started by torchrun.

    torchrun --nproc_per_node 2 -m tunelings.handson.processes exercises/module03/ex12_lora_fine_tune_llm.py FOLDER

Each process writes FOLDER/process-<number>.json: how many there are, which pairs its first pass had, and its adapter.
The adapter is saved in FOLDER/adapter. Accelerate makes one training of them; nothing here distributes anything.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tunelings import loading

PAIRS, BATCH_SIZE, STEPS = 16, 8, 3  # For two processes each update is a pass: eight pairs here, eight there.


def launch(answer_path: str | Path, folder: str | Path, count: int = 2) -> list[dict]:
    """Start `count` processes on the CPU; what each of them has written. Raises RuntimeError where one fails."""
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(count), "-m", __name__]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, *command, str(answer_path), str(folder)], env=environment, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(f"torchrun ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(folder).glob("process-*.json"))]


def tokens_before_the_prompt(tokenizer) -> int:
    text = tokenizer.apply_chat_template([{"role": "user", "content": "kiwi"}], tokenize=False)
    return tokenizer(text, add_special_tokens=False).tokens().index("kiwi")


def train(answer_path: Path, folder: Path, batch_size: int = BATCH_SIZE) -> dict:
    """What one of the processes does: train by the answer, and say what it has seen and what came out."""
    from accelerate import PartialState

    from tunelings.handson import tiny

    state = PartialState(cpu=True)
    answer = loading.load_module(answer_path, "tunelings_answer")
    base = tiny.llama(7, layers=2, noise=0.3)
    seen: list[tuple[int, ...]] = []
    tokenizer = tiny.chat_tokenizer()
    first = tokens_before_the_prompt(tokenizer)
    base.model.embed_tokens.register_forward_pre_hook(
        lambda module, inputs: seen.extend(tuple(row) for row in inputs[0][:, first : first + 2].tolist())
    )
    pairs = [(f"{tiny.WORDS[i]} {tiny.WORDS[i + 1]}", tiny.WORDS[-i - 1]) for i in range(PAIRS)]
    dataset = answer.build_dataset(pairs, tokenizer, 32)
    config = answer.Config(4, 8, 0.01, STEPS, batch_size, folder / "adapter")
    trained = answer.train_lora(base, tokenizer, dataset, config)
    adapter = {name: p.detach().double() for name, p in trained.model.named_parameters() if "lora_" in name}
    return {
        "process": state.process_index,
        "num_processes": state.num_processes,
        "pairs": sorted(tiny.WORDS[a - 1] for a, _ in seen[:batch_size]),  # Token 0 is <unk>.
        "loss": trained.history.loss,
        "adapter": {name: [p.sum().item(), p.square().sum().item()] for name, p in sorted(adapter.items())},
    }


def main() -> None:
    answer_path, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    found = train(answer_path, folder)
    text = json.dumps(found, indent=1)
    (folder / f"process-{found['process']}.json").write_text(text + "\n", encoding="utf-8")
    print(f"process {found['process']} of {found['num_processes']} had in its first pass: {' '.join(found['pairs'])}")


if __name__ == "__main__":
    main()
