"""What each part of a checkpoint is worth: a run is stopped halfway and resumed with one part missing.

    python figures/module01_checkpoint_resume.py

Prints the numbers of the lesson "Checkpoint and resume", and writes them and a plot beside this file.
"""

import io
import json
from pathlib import Path

import matplotlib
from drawing import drawing_path

matplotlib.use("svg")
import matplotlib.pyplot as plt
import torch
from torch import nn

HERE = Path(__file__).parent
NAME = Path(__file__).stem
STOP, END, BATCH = 300, 600, 64
PARTS = ("model", "optimizer", "scheduler", "rng")
RUNS = {"all parts": PARTS}
RUNS |= {f"without {part}": tuple(p for p in PARTS if p != part) for part in PARTS[1:]}
RUNS |= {"without buffers": (*PARTS, "parameters only"), "weights alone": ("model",)}


def make_run(seed):
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(20, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 5)
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, betas=(0.9, 0.99))
    return model, optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=END)


def make_data():
    """Five classes, given by a fixed random network with noise on its scores."""
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(END * BATCH + 2000, 20, generator=generator) * 2 + 1
    hidden = torch.tanh(inputs @ torch.randn(20, 30, generator=generator) / 4)
    scores = hidden @ torch.randn(30, 5, generator=generator)
    labels = (scores + 0.5 * torch.randn(scores.shape, generator=generator)).argmax(1)
    return inputs, labels


def train(run, data, start, stop):
    """The loss of each step, batch `step` being rows `step * BATCH` and after: the order of data is fixed."""
    (model, optimizer, scheduler), (inputs, labels) = run, data
    losses = []
    model.train()
    for step in range(start, stop):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        loss = nn.functional.cross_entropy(model(inputs[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return losses


@torch.no_grad()
def held_out_loss(model, data):
    model.eval()
    return nn.functional.cross_entropy(model(data[0][-2000:]), data[1][-2000:]).item()


def resume(saved, parts):
    """A freshly built run, with these parts of the checkpoint put back."""
    checkpoint = torch.load(io.BytesIO(saved), weights_only=True)
    model, optimizer, scheduler = run = make_run(seed=99)
    weights = checkpoint["model"]
    if "parameters only" in parts:
        weights = {name: weights[name] for name, _ in model.named_parameters()}
    model.load_state_dict(weights, strict="parameters only" not in parts)
    if "optimizer" in parts:
        optimizer.load_state_dict(checkpoint["optimizer"])
    if "scheduler" in parts:
        scheduler.load_state_dict(checkpoint["scheduler"])
    if "rng" in parts:
        torch.set_rng_state(checkpoint["rng"])
    return run


def parameters(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def main():
    torch.set_num_threads(1)
    data = make_data()
    whole = make_run(seed=0)
    train(whole, data, 0, STOP)
    parts = [thing.state_dict() for thing in whole] + [torch.get_rng_state()]
    buffer = io.BytesIO()
    torch.save(dict(zip(PARTS, parts, strict=True)), buffer)
    at_stop = held_out_loss(whole[0], data)
    losses = {"uninterrupted": train(whole, data, STOP, END)}
    results = {"uninterrupted": {"held_out_at_stop": at_stop, "held_out_at_end": held_out_loss(whole[0], data)}}
    for name, kept in RUNS.items():
        run = resume(buffer.getvalue(), kept)
        row = results[name] = {"held_out_at_stop": held_out_loss(run[0], data)}
        losses[name] = train(run, data, STOP, END)
        row["held_out_at_end"] = held_out_loss(run[0], data)
        row["largest_weight_difference"] = (parameters(run[0]) - parameters(whole[0])).abs().max().item()
        row["last_rate"] = run[1].param_groups[0]["lr"]
    for name, values in losses.items():
        results[name]["loss_of_steps_2_to_21"] = sum(values[1:21]) / 20
    results["bytes"] = bytes_of_parts(parts, len(buffer.getvalue()))
    for name, row in results.items():
        print(f"{name:<20}", "  ".join(f"{key} {value:.4g}" for key, value in sorted(row.items())))
    text = json.dumps(results, indent=2, sort_keys=True)
    (HERE / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    plot(losses)


def bytes_of_parts(parts, whole):
    def size(state):
        tensors = [t for t in _leaves(state) if isinstance(t, torch.Tensor)]
        return sum(t.numel() * t.element_size() for t in tensors)

    return {"file": whole} | {name: size(state) for name, state in zip(PARTS, parts, strict=True)}


def _leaves(state):
    if isinstance(state, dict):
        for value in state.values():
            yield from _leaves(value)
    else:
        yield state


def plot(losses):
    plt.rcParams["svg.hashsalt"] = NAME
    figure, axes = plt.subplots(figsize=(7, 3.2))
    whole = torch.tensor(losses["uninterrupted"])
    for name, style in (("all parts", "-"), ("weights alone", "--"), ("without scheduler", ":")):
        # The batches are the same, so what is left is the effect of the missing part.
        excess = (torch.tensor(losses[name]) - whole).unfold(0, 20, 20).mean(1)
        axes.plot(range(STOP + 20, END + 1, 20), excess, style, marker=".", label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("loss above the uninterrupted run's")
    axes.legend()
    figure.tight_layout()
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


if __name__ == "__main__":
    main()
