"""Which dtype a model gets, by what the GPU says of itself; none is needed for that."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from tunelings.handson import reviews_task, search
from tunelings.handson.precision import has_bfloat16, model_dtype, sixteen_bits


@pytest.fixture(params=[True, False], ids=["A100", "T4"])
def native(request, monkeypatch) -> bool:
    """A GPU that has bfloat16, and one that only imitates it: the question without emulation tells them apart."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    native = request.param
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or native)
    return native


def test_a_gpu_that_only_imitates_bfloat16_answers_in_float16_and_trains_in_float32(native: bool):
    assert has_bfloat16() == native
    assert (
        model_dtype("cuda:0", trains=False)
        == search.fast_dtype("cuda")
        == (torch.bfloat16 if native else torch.float16)
    )
    assert model_dtype("cuda", trains=True) == (torch.bfloat16 if native else torch.float32)
    assert sixteen_bits("cuda:0") == (torch.bfloat16 if native else torch.float16)
    assert sixteen_bits("cpu") == torch.bfloat16
    assert model_dtype("cpu", trains=False) == model_dtype("cpu", trains=True) == torch.float32


class Loaded(Exception):
    """Ends a loading with what it was asked for."""


@pytest.mark.parametrize("in_4_bits", [False, True])
def test_the_model_of_3_12_is_loaded_in_it(native: bool, in_4_bits: bool, monkeypatch, tmp_path):
    import accelerate
    import transformers

    def from_pretrained(path, dtype=None, quantization_config=None, **_):
        raise Loaded(quantization_config.bnb_4bit_compute_dtype if quantization_config else dtype)

    monkeypatch.setattr(accelerate, "PartialState", lambda: SimpleNamespace(device=torch.device("cuda")))
    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", lambda path: SimpleNamespace(chat_template=""))
    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", from_pretrained)
    (tmp_path / "config.json").touch()
    with pytest.raises(Loaded) as loaded:
        reviews_task.load_model(str(tmp_path), in_4_bits=in_4_bits)
    assert loaded.value.args == (torch.bfloat16 if native else torch.float32,)
