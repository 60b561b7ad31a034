"""How many updates a first training makes: as asked for, or as many as some minutes allow."""

from __future__ import annotations

import pytest

from tunelings.project.config import Config
from tunelings.project.pace import paced


def settings() -> Config:
    return Config.model_validate(
        {"model": "tiny", "data": {"path": "x", "kind": "chat"}, "compare": {"metric": "exact_match"},
         "train": {"technique": "full", "batch_size": 4, "accumulation": 2}}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "asked", "seconds", "updates", "says"),
    [
        # 8,829 rows in updates of 8 are 1,104 updates a pass.
        (8_829, None, 4.0, 150, "1,200 of 8,829 training rows; 1,104 updates show each once"),
        (8_829, None, 0.5, 1_200, "passes over the training rows: 1.1"),
        (8_829, None, 0.01, 3_312, "passes over the training rows: 3"),
        (8_829, 1_104, 4.0, 1_104, "passes over the training rows: 1"),
        (298, None, 2.5, 114, "passes over the training rows: 3"),
    ],
)
def test_the_updates_are_what_minutes_allow_and_their_share_of_the_rows_is_said(rows, asked, seconds, updates, says):
    config, why = paced(settings(), {"train": rows, "validation": rows // 10}, asked, seconds)
    assert (config.train.max_steps, why) == (updates, says)
    assert config.train.epochs * -(-rows // 8) >= updates, "more passes than the settings allow"
    assert updates // 8 <= config.train.evaluate_every <= updates
