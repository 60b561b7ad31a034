"""3.04: a slow search for the nearest level, the table of QLoRA's appendix E, and codes that bitsandbytes gave.

The levels stand here once more, so that an answer that changes its own is compared with the right ones.

Long: two functions, a table of levels, and a slow second way to every code.
"""

import math
from functools import partial
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from tunelings import expect
from tunelings.inputs import generator, randint, randn

LEVELS = [
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
    -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
    0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
]  # fmt: skip
HALF_OF_THE_WIDEST_GAP = 0.1519  # from -1 to the level after it


class NF4(NamedTuple):
    """What the checks hand to dequantize_nf4."""

    codes: Tensor
    absmax: Tensor
    shape: torch.Size
    block_size: int


def pack(codes):
    """Two codes a byte, the first in the high nibble; 7 where one is missing."""
    codes = [*codes, 7] if len(codes) % 2 else codes
    return torch.tensor([int(f"{a:x}{b:x}", 16) for a, b in zip(codes[::2], codes[1::2], strict=True)]).to(torch.uint8)


def unpack(packed):
    """All the codes, the one of an odd tail's padding too."""
    expect.tensor(packed, what="the codes", dtype=torch.uint8)
    return torch.tensor([int(nibble, 16) for byte in packed.flatten().tolist() for nibble in f"{byte:02x}"])


def codes_of(q, n):
    """The n codes of a result."""
    packed = expect.tensor(getattr(q, "codes", None), what="the codes", shape=(math.ceil(n / 2),))
    return unpack(packed)[:n]


def absmax_of(q, n_blocks):
    return expect.tensor(getattr(q, "absmax", None), what="the absmax", dtype=torch.float32, shape=(n_blocks,))


def quantized(answer, weight, block_size):
    """What quantize_nf4 makes of a weight, which must be afterwards what it was before."""
    with expect.untouched("the weight that was given", weight):
        return answer.quantize_nf4(weight, block_size)


def dequantized(answer, q, **options):
    """What dequantize_nf4 makes of a result, whose tensors must be afterwards what they were before."""
    with expect.untouched("what dequantize_nf4 was given", {"codes": q.codes, "absmax": q.absmax}):
        return answer.dequantize_nf4(q, **options)


def blocks_of(values, block_size):
    return [values[i : i + block_size] for i in range(0, len(values), block_size)]


def nearest(value):
    """The code of the level nearest to a scaled value, by trying all."""
    return min(range(16), key=lambda code: abs(LEVELS[code] - value))


def nearest_codes(weight, block_size):
    """The codes by the definition, and which of them lie clear of the middle between two levels."""
    codes, clear = [], []
    for block in blocks_of(weight.double().flatten().tolist(), block_size):
        absmax = max(abs(value) for value in block)
        for value in block:
            codes.append(nearest(value / absmax))
            distances = sorted(abs(level - value / absmax) for level in LEVELS)
            clear.append(distances[1] - distances[0] > 2e-6)
    return torch.tensor(codes), torch.tensor(clear)


def values_with(codes, offset):
    """Scaled values inside the cells of these codes, 20% of the way clear of the next cell; -1 for code 0.

    The value of code 15 stays below 1, so code 0 must stand in every block: its value is the absmax.
    """
    shares = torch.rand(len(codes), generator=generator(offset), dtype=torch.float64).tolist()
    return torch.tensor([_value_with(code, 2 * share - 1) for code, share in zip(codes, shares, strict=True)]).double()


def _value_with(code, share):
    if code in (0, 15):
        return -1.0 if code == 0 else 0.93 + 0.03 * share
    neighbor = LEVELS[code + 1] if share > 0 else LEVELS[code - 1]
    return LEVELS[code] + 0.8 * abs(share) * (neighbor - LEVELS[code]) / 2


def shuffled(codes, offset):
    order = torch.randperm(len(codes), generator=generator(offset)).tolist()
    return [codes[i] for i in order]


def test_each_value_gets_the_code_of_its_nearest_level(answer):
    codes = shuffled([*range(16), *range(1, 15)], offset=1)
    weight = (4.7 * values_with(codes, offset=2)).float().view(5, 6)
    q = quantized(answer, weight, 30)
    expect.equal(codes_of(q, 30), torch.tensor(codes), what="the codes of one block of 30 values")


def test_each_block_is_scaled_by_its_own_absmax(answer):
    scales = [3.1, 0.02, 47.0, 0.6]
    codes = [shuffled([0, *range(4, 15)], offset=3 + i) for i in range(3)] + [[9, 0, 12, 3, 10, 15, 5]]
    blocks = [scale * values_with(c, offset=7 + i) for i, (scale, c) in enumerate(zip(scales, codes, strict=True))]
    weight = torch.cat(blocks).float()
    q = quantized(answer, weight.view(1, 43), 12)
    absmax = expect.tensor(getattr(q, "absmax", None), what="the absmax")
    expect.close(absmax, torch.tensor(scales), what="the absmax of 4 blocks (12, 12, 12 and 7 values)", terms=2)
    expect.equal(codes_of(q, 43), torch.tensor(sum(codes, [])), what="the codes of 4 blocks of different size")


def test_two_codes_share_a_byte_and_an_odd_tail_is_filled_with_7(answer):
    codes = shuffled([*range(16), 2, 4, 11, 13, 6], offset=11)
    weight = (0.8 * values_with(codes, offset=12)).float().view(3, 7)
    q = quantized(answer, weight, 33)
    packed = expect.tensor(getattr(q, "codes", None), what="the codes", dtype=torch.uint8, shape=(11,))
    expect.equal(unpack(packed), torch.tensor([*codes, 7]), what="the 22 nibbles of 11 bytes, high ones first")
    expect.equal(list(q.shape), [3, 7], what="the shape in the result")
    expect.equal(q.block_size, 33, what="the block_size in the result")


def test_blocks_run_over_the_rows_of_any_layout(answer):
    tall = (randn(6, 5, 7, offset=13) * randn(6, 5, 7, offset=14).exp()).float()
    layouts = {
        "contiguous": tall,
        "transposed": tall.view(15, 14).T,
        "permuted": tall.permute(2, 0, 1),
        "sliced": tall[:, 1:4, ::2],
        "expanded": tall[:2, :1].expand(2, 5, 7),
        "0-d": tall[0, 0, 0],
    }
    for layout, weight in layouts.items():
        n = weight.numel()
        absmax = [max(abs(v) for v in block) for block in blocks_of(weight.flatten().tolist(), 16)]
        codes, clear = nearest_codes(weight, 16)
        q = quantized(answer, weight, 16)
        expect.close(absmax_of(q, len(absmax)), absmax, what=f"the absmax of a {layout} weight, 16 a block", terms=2)
        expect.equal(codes_of(q, n)[clear], codes[clear], what=f"the codes of a {layout} weight, 16 a block")


def test_values_are_level_times_absmax(answer):
    codes = shuffled([*range(16), 0, 2, 5, 15, 11], offset=15)
    absmax = torch.tensor([0.37, 21.0, 0.0046])
    q = NF4(pack(codes), absmax, torch.Size([3, 7]), 9)
    expected = [LEVELS[code] * float(absmax[i // 9]) for i, code in enumerate(codes)]
    expected = torch.tensor(expected).double().view(3, 7)
    expect.note("codes", codes)
    expect.note("scale", 0.37)
    values = expect.tensor(dequantized(answer, q), what="the values", dtype=torch.float32)
    expect.close(values, expected, what="the values of 21 codes, 9 in a block", scale=21.0, terms=2)
    small = values.flatten()[18:] / 0.0046
    expect.close(small, expected.flatten()[18:] / 0.0046, what="the values of the third block / absmax", terms=4)


def test_the_codes_are_those_of_bitsandbytes(answer):
    i = torch.arange(77, dtype=torch.float64)
    weight = (((STEP * i + START) % 101 - 50) / 64 * (1 + 6 * (i >= 32))).float()
    q = quantized(answer, weight, 32)
    packed = expect.tensor(getattr(q, "codes", None), what="the codes", dtype=torch.uint8, shape=(39,))
    expect.equal("".join(f"{byte:02x}" for byte in packed.tolist()), BITSANDBYTES, what="39 bytes, in hexadecimal")


# bitsandbytes 0.50.2, quantize_4bit(weight, blocksize=32, quant_type="nf4") on the CPU, of the weight above; no
# value lies within 0.003 of the middle between two levels.
STEP, START = 10, 21
BITSANDBYTES = "2357acde0123579cdef113579bdef113479bdef012469bdef012469bdef012468bdef012368bd7"


def test_a_block_of_zeros_comes_back_as_zeros(answer):
    weight = randn(5, 7, offset=17, dtype=torch.float32)
    weight.view(-1)[8:24] = 0.0
    q = quantized(answer, weight, 8)
    expect.close(absmax_of(q, 5)[1:3], [0.0, 0.0], what="the absmax of two blocks of zeros")
    expect.equal(codes_of(q, 35)[8:24], torch.full((16,), 7), what="the codes of two blocks of zeros")
    q = quantized(answer, torch.zeros(3, 5), 4)
    expect.equal(codes_of(q, 15), torch.full((15,), 7), what="the codes of a weight that is zeros throughout")
    q = NF4(pack(shuffled([*range(16)], offset=18)), torch.zeros(2), torch.Size([4, 4]), 8)
    back = dequantized(answer, q)
    expect.close(back, torch.zeros(4, 4), what="the values of two blocks with absmax 0")


def test_the_round_trip_errs_by_at_most_half_the_widest_gap(answer):
    for shape, block_size in (
        ((7, 13), 64),
        ((3, 4, 9), 10),
        ((50,), 1),
        ((2, 3), 1000),
        ((1,), 3),
        ((), 2),
        ((9, 40), 100),
    ):
        weight = randn(*shape, offset=19, dtype=torch.float32)
        blocks = blocks_of(weight.flatten().tolist(), block_size)
        scale = [max(abs(v) for v in block) for block in blocks for _ in block]
        q = quantized(answer, weight, block_size)
        absmax_of(q, len(blocks))
        back = expect.tensor(dequantized(answer, q), what=f"the values of a {list(shape)} weight", shape=shape)
        errors = (back.double() - weight.double()).flatten().abs() / torch.tensor(scale).double()
        expect.true(
            bool((errors <= HALF_OF_THE_WIDEST_GAP).all()),
            what=f"the largest error / absmax, {list(shape)} in blocks of {block_size}",
            actual=float(errors.max()),
            expected=f"at most {HALF_OF_THE_WIDEST_GAP}",
        )


def test_64_values_share_a_scale_unless_told_otherwise(answer):
    weight = (randn(9, 17, offset=21) * randn(9, 17, offset=22).exp()).float()
    expected = [max(abs(v) for v in block) for block in blocks_of(weight.flatten().tolist(), 64)]
    with expect.untouched("the weight that was given", weight):
        q = answer.quantize_nf4(weight)
    absmax = expect.tensor(getattr(q, "absmax", None), what="the absmax")
    expect.close(absmax, expected, what="the absmax of 153 values, no block_size given", terms=2)


def near_the_middle(dtype, absmax, offset):
    """48 numbers of this dtype that, divided by absmax, lie within eps / 2 of the middle between two levels."""
    scaled = 2 * torch.rand(40_000, generator=generator(offset), dtype=torch.float64) - 1
    values = (absmax * scaled).to(dtype)
    levels = torch.tensor(LEVELS, dtype=torch.float64)
    middles = (levels[1:] + levels[:-1]) / 2
    distance = ((values.double() / absmax).unsqueeze(1) / middles - 1).abs().amin(1)
    return values[distance < torch.finfo(dtype).eps / 2][:48]


def test_half_precision_is_computed_in_float32(answer):
    for offset, dtype in ((23, torch.bfloat16), (33, torch.float16)):
        absmax = 1.703125
        weight = torch.cat([torch.tensor([-absmax], dtype=dtype), near_the_middle(dtype, absmax, offset)])
        codes, clear = nearest_codes(weight, 49)
        q = quantized(answer, weight, 49)
        expect.close(absmax_of(q, 1), [absmax], what=f"the absmax of a {dtype} weight", terms=2)
        what = f"the codes of {dtype} values near the middle of two levels"
        expect.equal(codes_of(q, 49)[clear], codes[clear], what=what)
    middles = [(LEVELS[i] + LEVELS[i + 1]) / 2 for i in range(15)]
    beside = [1.7 * middle * share for middle in middles for share in (0.9999, 1.0001)]
    weight = torch.tensor([-1.7, *beside], dtype=torch.float32)
    codes, clear = nearest_codes(weight, 31)
    q = quantized(answer, weight, 31)
    what = "the codes of float32 values a ten-thousandth beside the middle of two levels"
    expect.equal(codes_of(q, 31)[clear], codes[clear], what=what)
    weight = randn(6, 31, offset=34)
    codes, clear = nearest_codes(weight, 31)
    absmax = weight.abs().amax(1)
    q = quantized(answer, weight, 31)
    expect.close(absmax_of(q, 6), absmax, what="the absmax of a float64 weight", terms=2)
    expect.equal(codes_of(q, 186)[clear], codes[clear], what="the codes of a float64 weight")


def test_the_values_come_in_the_dtype_that_was_asked_for(answer):
    codes = randint(0, 16, [600], offset=24).tolist()
    absmax = 1 + randn(300, offset=25, dtype=torch.float32).abs()
    q = NF4(pack(codes), absmax, torch.Size([20, 30]), 2)
    exact = [LEVELS[code] * float(absmax[i // 2]) for i, code in enumerate(codes)]
    exact = torch.tensor(exact).double().view(20, 30)
    for dtype in (torch.bfloat16, torch.float16, torch.float32, torch.float64):
        values = expect.tensor(
            dequantized(answer, q, dtype=dtype), what=f"the values in {dtype}", dtype=dtype, shape=(20, 30)
        )
        # One rounding to the dtype is at most eps / 2 of the value; the one before it, in float32, is far smaller.
        off = ((values.double() - exact) / torch.where(exact == 0, 1.0, exact)).abs()
        eps = max(torch.finfo(dtype).eps, torch.finfo(torch.float32).eps)
        terms = 0.51 if dtype in (torch.bfloat16, torch.float16) else 2
        expect.true(
            bool((off <= terms * eps).all()),
            what=f"the largest relative error of the values in {dtype}",
            actual=float(off.max()),
            expected=f"at most {terms * eps:.3g}",
        )


def test_very_small_and_very_large_weights_are_scaled_like_others(answer):
    codes = shuffled([*range(16), *range(1, 15)], offset=26)
    for size in (1e-25, 1e25):
        weight = (size * values_with(codes, offset=27)).float().view(6, 5)
        q = quantized(answer, weight, 30)
        expect.close(absmax_of(q, 1) / size, [1.0], what=f"the absmax of weights near {size}, divided by it", terms=8)
        expect.equal(codes_of(q, 30), torch.tensor(codes), what=f"the codes of weights near {size}")


def test_bfloat16_values_keep_the_range_of_float32(answer):
    for size in (1e-25, 1e25):
        weight = (size * values_with([0, 15, 3, 12], offset=36)).float()
        values = answer.dequantize_nf4(quantized(answer, weight, 4), torch.bfloat16)
        levels = torch.tensor([LEVELS[code] for code in (0, 15, 3, 12)], dtype=torch.float64)
        peak = float(weight.abs().max())
        what = f"the values of weights near {size} in bfloat16, divided by their absmax"
        expect.close(values.double() / peak, levels, what=what, dtype=torch.bfloat16, scale=1.0)


def test_neither_the_weight_nor_the_codes_are_changed(answer):
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        weight = randn(4, 16, offset=28, dtype=dtype)
        weight[1] = 0.0
        with expect.untouched(f"the weight in {dtype}", weight):
            answer.quantize_nf4(weight, block_size=16)
    q = NF4(pack(randint(0, 16, [64], offset=29).tolist()), randn(4, offset=30).abs().float(), torch.Size([4, 16]), 16)
    with expect.untouched("what was quantized", {"codes": q.codes, "absmax": q.absmax}):
        answer.dequantize_nf4(q)


def test_a_parameter_is_quantized_without_its_graph(answer):
    parameter = torch.nn.Parameter(randn(3, 6, offset=31, dtype=torch.float32))
    parameter.grad = randn(3, 6, offset=35, dtype=torch.float32)
    q = quantized(answer, parameter, 4)
    absmax = absmax_of(q, 5)
    expect.true(
        not absmax.requires_grad, what="the absmax, detached from the graph", actual=absmax, expected="no graph"
    )


def test_a_weight_without_elements_is_an_error(answer):
    for weight in (torch.zeros(0, 7), torch.zeros(0), torch.zeros(3, 0)):
        what = f"a weight of shape {list(weight.shape)}"
        expect.raises(ValueError, partial(answer.quantize_nf4, weight), what=what)


@pytest.mark.gpu
def test_the_result_stays_on_the_weights_device(answer):
    weight = randn(30, 31, offset=32, dtype=torch.float32).cuda()
    q = answer.quantize_nf4(weight, block_size=31)
    back = answer.dequantize_nf4(q)
    devices = [tensor.device.type for tensor in (q.codes, q.absmax, back)]
    expect.equal(devices, ["cuda"] * 3, what="the devices of the codes, the absmax and the values")
    codes, clear = nearest_codes(weight.cpu(), 31)
    expect.equal(codes_of(q, 930)[clear], codes[clear], what="the codes of a weight on the GPU")
