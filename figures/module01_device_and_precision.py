"""The figure of the lesson "Device and precision": which gradients float16 loses, at one loss scale after another.

python figures/module01_device_and_precision.py
"""

import json
from pathlib import Path

import matplotlib
from drawing import drawing_path

matplotlib.use("svg")
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn

HERE = Path(__file__).parent
NAME = Path(__file__).stem
DIGITS = HERE.parent / "data" / "mnist" / "MNIST" / "raw"
EXPONENTS = list(range(0, 41, 4))  # of the loss scales 1, 16, 256, ..., 2 ** 40
STEPS, WIDTH = 1500, 128  # about 100 passes: late in training, where gradients are small


def load_digits():
    """Images as float32 in [0, 1] with shape [N, 784], and labels, from the files that ship with the course."""
    images = torch.frombuffer(bytearray((DIGITS / "train-images-idx3-ubyte").read_bytes()[16:]), dtype=torch.uint8)
    labels = torch.frombuffer(bytearray((DIGITS / "train-labels-idx1-ubyte").read_bytes()[8:]), dtype=torch.uint8)
    return images[: 784 * 2000].reshape(-1, 784).float() / 255, labels[:2000].long()


def trained(images, labels):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, WIDTH), nn.GELU(), nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(STEPS):
        rows = torch.randint(len(images), (128,))
        optimizer.zero_grad()
        F.cross_entropy(model(images[rows]), labels[rows]).backward()
        optimizer.step()
    return model


def hidden_gradient(model, images, labels, dtype=None, scale=1.0):
    """The gradient that reaches the output of the middle layer, scaled, with autocast where a dtype is given."""
    kept = []
    hook = model[2].register_forward_hook(lambda module, inputs, outputs: kept.append(outputs))
    with torch.autocast("cpu", dtype=dtype or torch.bfloat16, enabled=dtype is not None):
        outputs = model(images)
    hook.remove()
    loss = F.cross_entropy(outputs.float(), labels)
    return torch.autograd.grad(loss * scale, kept[0])[0], float(loss.detach())


def saved_mib(model, images, dtype=None):
    """MiB that autograd keeps for backward, each storage once, parameters left out."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)  # Holding the tensor keeps the address taken.
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        with torch.autocast("cpu", dtype=dtype or torch.bfloat16, enabled=dtype is not None):
            outputs = model(images)
    del outputs
    return sum(size for size, _ in kept.values()) / 2**20


def main():
    torch.set_num_threads(1)
    images, labels = load_digits()
    model = trained(images, labels)
    exact, loss = hidden_gradient(model, images, labels)
    zeros, overflows = [], []
    print("log2 of the scale   became 0   inf or nan")
    for exponent in EXPONENTS:
        found, _ = hidden_gradient(model, images, labels, torch.float16, 2.0**exponent)
        zeros.append(percent((found == 0) & (exact != 0)))
        overflows.append(percent(~found.isfinite()))
        print(f"{exponent:>17}   {zeros[-1]:7.2f}%   {overflows[-1]:8.2f}%")
    bfloat16, _ = hidden_gradient(model, images, labels, torch.bfloat16)
    results = {
        "bfloat16_became_0_percent": percent((bfloat16 == 0) & (exact != 0)),
        "exponents": EXPONENTS,
        "float16_became_0_percent": zeros,
        "float16_inf_or_nan_percent": overflows,
        "loss": loss,
        "median_gradient": float(exact.abs().median()),
        "saved_mib": {"bfloat16": saved_mib(model, images, torch.bfloat16), "float32": saved_mib(model, images)},
    }
    for name in ("bfloat16_became_0_percent", "loss", "median_gradient", "saved_mib"):
        print(f"{name}: {results[name]}")
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    plot(zeros, overflows)


def percent(condition):
    return float(condition.double().mean()) * 100


def plot(zeros, overflows):
    plt.rcParams.update({"svg.hashsalt": NAME, "font.size": 10})
    figure, axes = plt.subplots(figsize=(5.2, 3.8), layout="constrained")
    axes.plot(EXPONENTS, zeros, "-o", markersize=3, label="became 0")
    axes.plot(EXPONENTS, overflows, "--s", markersize=3, label="became inf or nan")
    axes.axvline(16, color="0.6", linewidth=1, linestyle=":", label="first scale of GradScaler, 2^16")
    axes.set(xlabel="log2 of the loss scale", ylabel="gradients, %")
    figure.legend(loc="outside upper left", frameon=False)
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


if __name__ == "__main__":
    main()
