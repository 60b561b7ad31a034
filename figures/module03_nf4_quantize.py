"""The figure of the lesson "Quantize to NF4": where the levels lie, and what a block's scale costs and saves.

python figures/module03_nf4_quantize.py
"""

import json
import statistics
import sys
from pathlib import Path

import bitsandbytes.functional as bnb
import matplotlib
from drawing import drawing_path

matplotlib.use("svg")
import matplotlib.pyplot as plt
import torch

HERE = Path(__file__).parent
NAME = Path(__file__).stem
sys.path.insert(0, str(HERE.parent / "solutions" / "module03"))
from ex04_nf4_quantize import LEVELS, dequantize_nf4, quantize_nf4  # noqa: E402

UNIFORM = torch.linspace(-1, 1, 16)
N = 2**20


def levels_from_quantiles():
    """Evenly spaced probabilities, turned into quantiles of the normal distribution: 8 up, 7 down, and 0."""
    quantile, end = statistics.NormalDist().inv_cdf, 0.9677083
    up = [quantile(end + (0.5 - end) * i / 8) for i in range(8)]
    down = [-quantile(end + (0.5 - end) * i / 7) for i in range(7)]
    return torch.tensor(sorted([*up, *down, 0.0])) / max(up)


def relative_error(weight, back):
    """The root mean square error, as a share of the root mean square weight."""
    return float((back - weight).norm() / weight.norm())


def with_levels(weight, block_size, levels):
    """The weight after a round trip through any table of levels."""
    blocks = weight.view(-1, block_size)
    absmax = blocks.abs().amax(dim=1, keepdim=True)
    codes = torch.bucketize(blocks / absmax, (levels[1:] + levels[:-1]) / 2)
    return (levels[codes] * absmax).view(-1)


def main():
    torch.set_num_threads(1)
    weight = torch.randn(N, generator=torch.Generator().manual_seed(0))
    outlier = weight.clone()
    outlier[12345] = 50.0

    derived = float((levels_from_quantiles() - LEVELS).abs().max())
    table = {}
    for block_size in (16, 64, 256, 4096, N):
        table[str(block_size)] = {
            "bits": 4 + 32 / block_size,
            "nf4": relative_error(weight, dequantize_nf4(quantize_nf4(weight, block_size))),
            "uniform": relative_error(weight, with_levels(weight, block_size, UNIFORM)),
            "nf4, one weight of 50": relative_error(outlier, dequantize_nf4(quantize_nf4(outlier, block_size))),
        }
    packed, _ = bnb.quantize_4bit(weight.clone(), blocksize=64, quant_type="nf4")
    mine = quantize_nf4(weight, 64)
    different = int((packed.flatten() != mine.codes).sum())
    matrix = quantize_nf4(torch.zeros(4096, 4096, dtype=torch.bfloat16))
    size = {"bf16": 2 * 4096**2, "codes": matrix.codes.numel(), "absmax": 4 * matrix.absmax.numel()}
    near = float(((weight.view(-1, 64) / weight.view(-1, 64).abs().amax(1, keepdim=True)).abs() < 0.5).double().mean())
    between = {name: int((levels.abs() < 0.5).sum()) for name, levels in (("nf4", LEVELS), ("uniform", UNIFORM))}

    gap = float((LEVELS[1:] - LEVELS[:-1]).max()) / 2
    print(f"half of the widest gap between two levels: {gap:.4f}")
    print(f"largest difference of the table from normal quantiles: {derived:.1e}")
    print("block size    bits     NF4   uniform   NF4, one weight of 50")
    for block_size, row in table.items():
        print(f"{block_size:>10}" + "".join(f"{row[k]:>9.4f}" for k in row))
    print(f"bytes that differ from bitsandbytes, of {N // 2}: {different}")
    print(f"4096 x 4096, in MB: {', '.join(f'{k} {v / 1e6:.2f}' for k, v in size.items())}")
    print(f"share of scaled weights between -0.5 and 0.5: {near:.3f}; levels there: {between}")
    results = {
        "bytes_different_from_bitsandbytes": different,
        "errors": table,
        "half_of_the_widest_gap": gap,
        "levels_off_quantiles": derived,
        "levels_within_half": between,
        "share_within_half": near,
        "size": size,
    }
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    plot(weight)


def plot(weight):
    plt.rcParams.update({"svg.hashsalt": NAME, "font.size": 10})
    figure, axes = plt.subplots(figsize=(6.5, 3.0), layout="constrained")
    blocks = weight.view(-1, 64)
    scaled = (blocks / blocks.abs().amax(1, keepdim=True)).view(-1)
    counts = torch.histc(scaled, bins=80, min=-1, max=1)
    axes.stairs(counts / counts.max(), torch.linspace(-1, 1, 81), color="0.8", fill=True)
    axes.vlines(LEVELS, -0.12, 0, color="C0", linewidth=2, label="16 levels of NF4")
    axes.vlines(UNIFORM, -0.27, -0.15, color="C1", linewidth=2, label="16 uniform levels")
    axes.set(xlabel="weight / absmax of its block of 64", yticks=[])
    axes.legend(fontsize=8, frameon=False, loc="upper right")
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


if __name__ == "__main__":
    main()
