"""In how many bits a model computes on the device that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def has_bfloat16() -> bool:
    """Whether the GPU computes in bfloat16 itself; a T4 and older ones only imitate it."""
    import torch

    return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)


def sixteen_bits(device: str) -> torch.dtype:
    """The 16-bit dtype that a device computes in: float16 on a CUDA card without bfloat16, else bfloat16."""
    import torch

    return torch.float16 if device.partition(":")[0] == "cuda" and not has_bfloat16() else torch.bfloat16


def model_dtype(device: str, *, trains: bool) -> torch.dtype:
    """The dtype of a model's weights: float32 on a CPU, bfloat16 on a GPU that has it.

    On any other CUDA card a model answers in float16. It trains in float32 there: gradients in float16 need a scaled
    loss, as in 1.08, and the training loops that get this model have no scaler.
    """
    import torch

    kind = device.partition(":")[0]
    if kind == "cpu" or (kind == "cuda" and trains and not has_bfloat16()):
        return torch.float32
    return sixteen_bits(device)
