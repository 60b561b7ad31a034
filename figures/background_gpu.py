"""One training step by size of the model: on the CPU with one thread and two, and on a GPU where there is one.

python figures/background_gpu.py
With --draw it makes the drawing alone.

Each figure is the least of several steps, in turns, since other work on a machine makes steps slower and never
faster. On the GPU a step ends with a synchronization, so that the clock does not stop before the work does.
"""

import json
import platform
import sys
import time
from pathlib import Path

import torch
from drawing import plots, results_of, save
from transformers import LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).parent
NAME = Path(__file__).stem
WIDTHS, LAYERS, VOCABULARY = (64, 128, 256, 512), 4, 1024
BATCH, LENGTH, REPEATS = 4, 64, 4
LARGER = (1024, 2048, 4096)  # on a GPU alone
THREADS = (1, 2)
MATRIX, VECTOR = 1024, 8_000_000


def model_of(width):
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=width, intermediate_size=3 * width, num_hidden_layers=LAYERS,
        num_attention_heads=max(1, width // 64), num_key_value_heads=max(1, width // 64), tie_word_embeddings=True,
    )  # fmt: skip
    return LlamaForCausalLM(config).train()


def step_on(model, device, dtype=torch.float32):
    """A function that makes one step of AdamW and returns when it is done."""
    model = model.to(device)
    optimizer = torch.optim.AdamW(model.parameters())
    ids = torch.randint(0, VOCABULARY, (BATCH, LENGTH), device=device)

    def step():
        optimizer.zero_grad()
        with torch.autocast(device, dtype=torch.bfloat16, enabled=dtype is torch.bfloat16):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()

    return step


def seconds_of(work, repeats=REPEATS):
    work()  # The first call pays for what is set up once.
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def on_cpu(width):
    model = model_of(width)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    step, seconds = step_on(model, "cpu"), {}
    for _ in range(2):  # In turns: other work hits both.
        for threads in THREADS:
            torch.set_num_threads(threads)
            seconds[threads] = min(seconds_of(step), seconds.get(threads, float("inf")))
    flop = 6 * parameters * BATCH * LENGTH
    rates = {threads: flop / value / 1e9 for threads, value in seconds.items()}
    return {"width": width, "parameters": parameters, "flop": flop, "cpu_seconds": seconds, "cpu_gflops": rates}


def on_gpu(width):
    seconds = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        seconds[name] = seconds_of(step_on(model_of(width), "cuda", dtype), 20)
        torch.cuda.empty_cache()
    return seconds


def machine_limits():
    """GFLOP/s of a matrix product and GB/s of an addition, with one thread."""
    torch.set_num_threads(1)
    a, b = torch.randn(MATRIX, MATRIX), torch.randn(MATRIX, MATRIX)
    x, y, out = torch.randn(VECTOR), torch.randn(VECTOR), torch.empty(VECTOR)
    product = seconds_of(lambda: a @ b, 6)
    addition = seconds_of(lambda: torch.add(x, y, out=out), 6)
    return {"gflops": 2 * MATRIX**3 / product / 1e9, "gb_per_second": 3 * 4 * VECTOR / addition / 1e9}


def draw():
    """The roofline of this machine's core: what an operation can reach at a number of FLOP for each byte."""
    limits = results_of(NAME)["one_thread"]
    figure, axes = plots(3.4)
    peak, bandwidth = limits["gflops"], limits["gb_per_second"]
    intensities = [2**n for n in range(-5, 10)]
    axes.loglog(intensities, [min(peak, bandwidth * n) for n in intensities], "-", color="black")
    points = [(1 / 12, "addition"), (0.5, "one token, float32"), (MATRIX / 6, f"product of {MATRIX:,}²")]
    for (intensity, name), align in zip(points, ("left", "left", "right"), strict=True):
        reached = min(peak, bandwidth * intensity)
        axes.plot([intensity], [reached], "o")
        axes.text(intensity * (1.25 if align == "left" else 1), reached * 0.6, name, ha=align, va="top")
    axes.set(xlabel="FLOP for each byte that is moved", ylabel="GFLOP/s, one thread", ylim=(peak / 2000, peak * 2))
    axes.grid(alpha=0.3)
    save(figure, NAME)


def main():
    rows = [on_cpu(width) for width in WIDTHS]
    results = {"cpu": platform.processor() or platform.machine(), "torch": torch.__version__, "rows": rows}
    results |= {"batch": BATCH, "length": LENGTH, "one_thread": machine_limits(), "gpu": "not measured", "larger": []}
    if torch.cuda.is_available():
        results["gpu"] = torch.cuda.get_device_name()
        for row in rows:
            row["gpu_seconds"] = on_gpu(row["width"])
        results["larger"] = [{"width": width, "gpu_seconds": on_gpu(width)} for width in LARGER]
    for row in rows:
        print(row)
    print(results["one_thread"], results["gpu"], results["larger"])
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
