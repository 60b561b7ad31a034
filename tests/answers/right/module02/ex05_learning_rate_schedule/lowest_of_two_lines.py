"""The lower of the line up and the line down; torch for the cosine. Returns ints at the corners."""

import torch


def share(step, warmup_steps, total_steps, down):
    if warmup_steps not in range(total_steps):
        raise ValueError(f"cannot warm up for {warmup_steps} steps in {total_steps}")
    up = step / warmup_steps if warmup_steps else 1
    left = max(0, total_steps - step) / (total_steps - warmup_steps)
    return min(up, 1) if up < 1 else down(min(left, 1))


def warmup_then_linear(step, warmup_steps, total_steps):
    return share(step, warmup_steps, total_steps, lambda left: left)


def cosine_with_floor(step, warmup_steps, total_steps, floor):
    def down(left):
        cosine = torch.cos(torch.tensor((1 - left) * torch.pi, dtype=torch.float64))
        return torch.lerp(torch.tensor(floor, dtype=torch.float64), torch.tensor(1.0).double(), (1 + cosine) / 2).item()

    return share(step, warmup_steps, total_steps, down)
