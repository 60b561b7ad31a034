"""3.01 · LoRA linear: a frozen layer with a small trainable update beside it.

LoRA trains two thin matrices instead of one wide one, and the model starts out exactly as it was.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LoRALinear(nn.Module):
    """A linear layer that does not change, plus an update of rank r that is trained instead of it.

        output = base(x) + (lora_alpha / r) * B A x

    Attributes:
        base: the given layer itself, not a copy. All its parameters are frozen (they need no gradient), so that
            training does not change a single bit of them.
        lora_A: an `nn.Parameter` of shape `[r, in_features]`, drawn at random from torch's global generator
            by `kaiming_uniform_` with a = √5, which is the uniform distribution between -1/√in_features and
            1/√in_features.
        lora_B: an `nn.Parameter` of shape `[out_features, r]`, all zeros.
        scaling: `lora_alpha / r`.

    `lora_A` and `lora_B` have the dtype and the device of the base's weight. They are the only parameters of the
    module that need a gradient. At the start, the output is that of the base, since B is zero.

    Method: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (2021), section 4.1,
    https://arxiv.org/abs/2106.09685; the draw of A as in https://github.com/microsoft/LoRA
    """

    def __init__(self, base: nn.Linear, r: int, lora_alpha: float, lora_dropout: float = 0.0) -> None:
        """Freeze `base`, and make A and B.

        Args:
            base: a linear layer, with or without bias, of any floating dtype and on any device.
            r: the rank of the update, at least 1 (otherwise a ValueError whose message contains it); it may be
                larger than the layer's own dimensions.
            lora_alpha: how strongly the update counts; an int or a float.
            lora_dropout: the share of the inputs that is dropped on their way into the update, from 0 to
                below 1.
        """
        super().__init__()
        # TODO: refuse r < 1, freeze the base, make A (random) and B (zero), keep scale and dropout.
        raise NotImplementedError("TODO")

    def forward(self, x: Tensor) -> Tensor:
        """Return the base's output plus the scaled update.

        Args:
            x: `[..., in_features]` with any number of leading dimensions, including none, of the base's dtype and
                on its device. It need not be contiguous, and it is not changed.

        Returns:
            `[..., out_features]` of the base's dtype. The gradient reaches A, B and x (through the base and
            through the update).

        In train mode, each number of x is dropped with probability `lora_dropout` before it enters A, and the
        numbers that are kept are divided by 1 - lora_dropout, as torch's own dropout does; `base(x)` sees all of x.
        In eval mode, nothing is dropped.
        """
        # TODO: the base's output plus the scale times B(A(dropout(x))).
        raise NotImplementedError("TODO")
