"""Files are run by their path: references that the hands-on code computes with, and answers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.conftest import COURSE
from tests.support.systems import POSIX
from tunelings import loading
from tunelings.grading import imports
from tunelings.handson import hardware, search


@pytest.mark.parametrize(("number", "name"), [(hardware.REFERENCE, "estimate_vram"), (search.REFERENCE, "bm25_scores")])
def test_the_reference_that_the_hands_on_code_computes_with_is_the_solution(number: str, name: str):
    module = loading.reference(number)
    assert module.__file__ == str(COURSE.find(number).solution_path)
    assert callable(getattr(module, name))
    assert loading.reference(number) is module


def test_each_row_of_the_hardware_table_is_what_5_08_computes():
    reference = loading.load_module(COURSE.find("5.08").solution_path, "tunelings_test_of_hardware")
    for row in hardware.ROWS:
        total = reference.estimate_vram(reference.ModelShape(*row.shape), row.technique, row.batch, row.seq_len)
        assert sum(gib for part, gib in row.parts.items() if part != "total") == pytest.approx(row.parts["total"])
        if not row.heads and not row.float32:
            assert row.parts["total"] == pytest.approx(total)


def test_rows_that_5_08_leaves_something_out_of_count_it():
    rows = {row.name: row.parts for row in hardware.ROWS}
    # 4,096 tokens, 12 layers: 34 · 768 + 5 · 12 · 128 = 33,792 bytes a token in 16 bits, twice that in float32.
    assert rows["BERT-base, fine-tuning"]["activations"] == pytest.approx(2 * 4096 * 12 * 33_792 / 2**30)
    # Llama 2 7B: 262,410,240 numbers at 4 bytes, 6,476,005,376 at 4.127 bits, and the adapter at 16 bytes.
    qlora = 262_410_240 * 4 + 6_476_005_376 * 4.127 / 8 + 39_976_960 * 16
    assert rows["7B, QLoRA"]["weights, gradients, optimizer"] == pytest.approx(qlora / 2**30)


def test_a_file_that_is_not_there_or_does_not_run_leaves_no_module(tmp_path: Path):
    path = tmp_path / "broken.py"
    with pytest.raises(FileNotFoundError):
        loading.load_module(path, "tunelings_test_broken")
    path.write_text("1 / 0\n", encoding="utf-8")
    with pytest.raises(ZeroDivisionError):
        loading.load_module(path, "tunelings_test_broken")
    assert "tunelings_test_broken" not in sys.modules


def test_a_dataclass_of_a_file_that_is_run_by_its_path_works(tmp_path: Path):
    path = tmp_path / "shapes.py"
    text = "from dataclasses import dataclass\n\n@dataclass\nclass Shape:\n    n: int\n"
    path.write_text(text, encoding="utf-8")
    module = loading.load_module(path, "tunelings_test_shapes")
    assert module.Shape(3).n == 3 and sys.modules.pop("tunelings_test_shapes") is module


@POSIX
def test_a_pipe_in_place_of_a_check_is_not_read_for_its_imports(mini, monkeypatch):
    mini.squares.check_path.unlink()
    os.mkfifo(mini.squares.check_path)
    read_text = Path.read_text

    def of_a_file(path: Path, **options) -> str:
        assert path.is_file(), f"{path.name} would be waited for"
        return read_text(path, **options)

    monkeypatch.setattr(Path, "read_text", of_a_file)
    assert imports.needed_imports([mini.squares]) == ["torch", "torch:Tensor"]
