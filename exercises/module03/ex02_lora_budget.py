"""3.02 · LoRA budget: count the parameters that will train, and the bytes that training takes.

This arithmetic tells you, before any download, whether a fine-tuning run fits on a GPU and which part to shrink.
"""

import math
from fractions import Fraction
from typing import NamedTuple


class Memory(NamedTuple):
    """Bytes that stay allocated throughout training; `total` is the sum of the other three."""

    weights: int
    gradients: int
    optimizer: int
    total: int


def lora_parameters(shapes: dict[str, tuple[int, int]], r: int, target_modules: list[str]) -> int:
    """Count the parameters that LoRA of rank r adds to a model.

    An adapted layer `[out, in]` gets two matrices, A `[r, in]` and B `[out, r]`, and no bias.

    Args:
        shapes: for the full name of each linear layer, such as "model.layers.0.self_attn.q_proj", the shape
            `(out, in)` of its weight.
        r: the rank, at least 1, the same for all layers.
        target_modules: which layers are adapted. As in peft, a layer matches an entry if its full name equals the
            entry or ends with "." followed by the entry. Entries are plain text, not patterns, and may contain dots
            themselves ("mlp.down_proj").

    Returns:
        The number of parameters in all A and B, an int. A layer that matches two entries is adapted once. An entry
        that matches no layer adds nothing.

    Raises:
        ValueError: no layer matches any entry (the message contains the entries).

    No argument is changed.

    Method: Hu et al., LoRA (2021), section 4.2, https://arxiv.org/abs/2106.09685; names as in
    https://huggingface.co/docs/peft/package_reference/lora (target_modules)
    """
    # TODO: pick the layers whose name matches, then add up what A and B of each hold.
    raise NotImplementedError("TODO")


def training_memory(
    frozen: int,
    trainable: int,
    *,
    frozen_bits: int = 16,
    trainable_bits: int = 32,
    optimizer: str = "adamw",
    block_size: int = 64,
    double_quant: bool = False,
) -> Memory:
    """Return the bytes that weights, gradients and optimizer state take.

    Args:
        frozen: the number of parameters that do not train (the base, with LoRA); 0 in full fine-tuning.
        trainable: the number of parameters that train. They come on top of `frozen`.
        frozen_bits: the bits of one frozen weight: 32, 16, 8 or 4.
        trainable_bits: the bits of one trainable weight (32 or 16); its gradient has the same width.
        optimizer: "adamw" keeps two float32 numbers for each trainable parameter (8 bytes), "adamw_8bit" two
            of one byte (2 bytes), "sgd_momentum" one float32 (4 bytes), "sgd" nothing (0 bytes), whatever
            trainable_bits is. Step counters and the constants of the 8-bit states are left out.
        block_size: with 4 bits, this many frozen weights share one float32 scale, so each weight takes 32 /
            block_size extra bits.
        double_quant: the scales are quantized too: 8 bits each, plus one float32 for every 256 of them, so each
            weight takes 8 / block_size + 32 / (256 * block_size) extra bits instead of 32 / block_size. At widths
            other than 4 bits, `block_size` and `double_quant` have no effect.

    Returns:
        Memory(weights, gradients, optimizer, total), in bytes. `weights` covers frozen and trainable weights
        together. Only trainable parameters have gradients and optimizer state. Each of the three is computed
        exactly and rounded up to a whole number once, at the end; `total` is the sum of the three rounded numbers.
        All four are ints.

    Raises:
        ValueError: an optimizer that is not one of the four (the message contains its name).

    What is left out: activations, the CUDA context, and copies that some trainers keep.

    Method: Dettmers et al., QLoRA (2023), section 3, https://arxiv.org/abs/2305.14314; for the parts,
    https://huggingface.co/docs/transformers/model_memory_anatomy
    """
    # TODO: look up the optimizer, add the scales to 4 bits, then weights, gradients and state.
    raise NotImplementedError("TODO")
