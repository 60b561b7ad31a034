"""The data that ships is what its sums say, and torchvision reads it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.conftest import ROOT
from tunelings.course import data_folder
from tunelings.handson import mnist, pydocs, reviews, reviews_task

DATA = ROOT / "data"
# Two busy cores: threads that wait for each other make the run many times longer.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
LISTED = dict(reversed(line.split()) for line in (DATA / "SHA256SUMS").read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("name", LISTED)
def test_each_file_has_its_sum(name: str):
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == LISTED[name]


def test_every_file_is_listed():
    shipped = {path.relative_to(DATA) for path in DATA.rglob("*") if path.is_file()}
    own = {Path("README.md"), Path("SHA256SUMS")}
    assert {path.as_posix() for path in shipped - own if path.parts[0] != "full"} == set(LISTED)


@pytest.mark.parametrize(
    ("load", "path", "what"),
    [
        (mnist.load_digits, "MNIST/raw/train-images-idx3-ubyte", "digits"),
        (reviews.load_reviews, "movie_snippets.csv.gz", "reviews"),
        (pydocs.load_passages, "passages.jsonl.gz", "documentation"),
        (lambda folder: reviews_task.load_general_texts(folder=folder), "passages.jsonl.gz", "passages"),
    ],
)
def test_a_file_that_is_not_there_is_one_line_that_says_how_to_get_it_back(load, path: str, what: str, tmp_path: Path):
    with pytest.raises(FileNotFoundError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{tmp_path / path} is missing (`git checkout data` brings the shipped {what} back)"


def test_the_data_are_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for folder in (ROOT / "exercises", tmp_path):
        monkeypatch.chdir(folder)
        assert data_folder("mnist") == DATA / "mnist"


def test_the_readme_of_the_digits_gives_their_sums():
    text = (DATA / "mnist" / "README.md").read_text(encoding="utf-8")
    raw = {name: value for name, value in LISTED.items() if "/raw/" in name}
    assert len(raw) == 4 and all(f"| {Path(name).name} |" in text and value in text for name, value in raw.items())


def test_the_readme_of_the_reviews_gives_their_sum():
    text = (DATA / "sentiment" / "README.md").read_text(encoding="utf-8")
    assert f"| `{LISTED['sentiment/movie_snippets.csv.gz']}` |" in text


def test_the_reviews_are_read_with_their_labels():
    texts, labels = reviews.load_reviews(DATA / "sentiment")
    assert len(texts) == len(labels) == len(set(texts)) == 10_070
    assert labels.count("positive") == 4_995 and labels.count("negative") == 5_075
    assert texts[0].startswith("In all fairness, I must report that the children") and labels[0] == "positive"


def test_missing_reviews_are_one_clear_line(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="movie_snippets.csv.gz is missing"):
        reviews.load_reviews(tmp_path)


def test_a_paired_comparison_counts_only_where_the_two_differ():
    true = ["a"] * 100
    first, second = ["a"] * 80 + ["b"] * 20, ["a"] * 60 + ["b"] * 30 + ["a"] * 10
    more = reviews.compare(first, second, true)
    assert (more.first_only, more.second_only) == (20, 10) and more.difference == pytest.approx(0.1)
    # sqrt((30/100 - 0.1**2) / 100) = 0.05385
    assert (more.low, more.high) == (pytest.approx(0.1 - 1.96 * 0.05385, abs=1e-5), pytest.approx(0.20555, abs=1e-5))
    # Wilson's interval: (0.8 + 0.0192) / 1.0384 = 0.7889, give or take 0.0777.
    assert reviews.score(first, true) == (0.8, pytest.approx(0.7111, abs=1e-4), pytest.approx(0.8666, abs=1e-4))
    assert reviews.confusion(first, true, ["a", "b"]) == [[80, 20], [0, 0]]


def test_torchvision_reads_the_digits_as_we_do():
    from torchvision.datasets import MNIST

    for train, (images, labels), count in zip(
        (True, False), mnist.load_digits(DATA / "mnist"), (8000, 2000), strict=True
    ):
        theirs = MNIST(DATA / "mnist", train=train, download=False)
        assert images.shape == (count, 28, 28) and images.dtype == torch.uint8 and labels.dtype == torch.int64
        assert torch.equal(images, theirs.data) and torch.equal(labels, theirs.targets)
        assert labels.unique().tolist() == list(range(10))


def test_no_test_digit_is_in_training():
    (train, _), (test, _) = mnist.load_digits(DATA / "mnist")
    assert not {image.numpy().tobytes() for image in train} & {image.numpy().tobytes() for image in test}


def test_a_missing_file_is_one_clear_line(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="train-images-idx3-ubyte is missing"):
        mnist.load_digits(tmp_path)


def test_the_full_set_offline_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import torchvision.datasets.mnist

    def offline(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(torchvision.datasets.mnist, "download_and_extract_archive", offline)
    with pytest.raises(ConnectionError, match="cannot be downloaded.*TUNELINGS_MNIST") as error:
        mnist.download_full(tmp_path)
    assert "\n" not in str(error.value)


def test_the_hands_on_saves_the_curve_and_the_wrong_digits(tmp_path: Path):
    script = ROOT / "solutions" / "module01" / "ex10_mnist_from_scratch.py"
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "100%" in done.stdout and "test accuracy 0.9" in done.stdout
    for name in ("curve.png", "wrong.png"):
        assert (tmp_path / "runs" / "mnist" / name).read_bytes().startswith(b"\x89PNG")
