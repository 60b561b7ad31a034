# names: substring-match
# breaks: "a layer matches an entry if its full name equals the entry"
from collections import namedtuple
from math import ceil

Memory = namedtuple("Memory", "weights gradients optimizer total")


def lora_parameters(shapes, r, target_modules):
    count, hit = 0, False
    for name, shape in shapes.items():
        for module in target_modules:
            if module in name:
                hit = True
                count += r * shape[0] + r * shape[1]
                break
    if not hit:
        raise ValueError("no module found for " + str(target_modules))
    return count


def training_memory(
    frozen, trainable, *, frozen_bits=16, trainable_bits=32, optimizer="adamw", block_size=64, double_quant=False
):
    table = dict(adamw=8, adamw_8bit=2, sgd_momentum=4, sgd=0)
    if optimizer not in table:
        raise ValueError("optimizer " + optimizer)
    bits = frozen_bits
    if bits == 4:
        bits = 4 + (8 / block_size + 32 / (256 * block_size) if double_quant else 32 / block_size)
    w = ceil((frozen * bits + trainable * trainable_bits) / 8)
    g = ceil(trainable * trainable_bits / 8)
    s = ceil(trainable * table[optimizer])
    return Memory(w, g, s, w + g + s)
