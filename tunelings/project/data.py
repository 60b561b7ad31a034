"""From a learner's file to three parts: read, filter, drop repeats, split, and look for leaks into the test.

Each decision is a part: 4.01 reads formats, 4.03 judges quality, 4.04 finds repeats, 4.06 splits and 4.09 finds leaks.
Nothing goes without a word: what is broken, dropped or cut is counted, and its places are written down. Rows stand in
a file on disk and not in memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunelings.project.config import Config
from tunelings.project.intake import TakenIn, check_amount, measure, take_in, within_limit
from tunelings.project.parts import Parts
from tunelings.project.say import Say
from tunelings.project.splitting import drop_leaks, drop_repeats, prepare_whole, split, write_parts


def prepare(config: Config, base: Path, work: Path, parts: Parts, tokenizer: Any, say: Say) -> dict[str, Any]:
    """Write train.jsonl, validation.jsonl, test.jsonl and left_out.jsonl into `work`.

    A row has id, messages, text (what repeats and leaks are found by), answers (any of them is right) and label.

    Args:
        base: where relative paths of the settings begin.
        tokenizer: that of the model; it counts tokens.

    Returns:
        The counts of everything, for result.json and the report.

    Raises:
        ProjectError: nothing can be learned from this data; one line says why.
    """
    taken = take_in(config, base, work, parts, say)
    say.progress(0.3, "lengths")
    measure(config, taken, tokenizer)
    return divide(config, work, parts, tokenizer, say, taken)


def divide(config: Config, work: Path, parts: Parts, tokenizer: Any, say: Say, taken: TakenIn) -> dict[str, Any]:
    """The second half of `prepare`, from rows that are measured; the dry look chooses settings in between."""
    left_out = taken.left_out
    summary: dict[str, Any] = {"read": taken.read, "broken": left_out.of("broken"), "quality": dict(taken.quality)}
    kept, summary["tokens"] = within_limit(config, taken, tokenizer)
    check_amount(config, len(kept), taken.read, left_out)
    if config.data.pipeline == "whole":
        places = prepare_whole(config, work, parts, kept, tokenizer, left_out)
    else:
        say.progress(0.5, "duplicates")
        kept, summary["contradictions"] = drop_repeats(config, kept, parts, left_out)
        check_amount(config, len(kept), taken.read, left_out)
        say.progress(0.7, "split")
        places = split(config, kept, parts, left_out)
    say.progress(0.85, "leaks")
    drop_leaks(kept, places, parts, left_out)
    summary |= {name: left_out.of(name) for name in ("quality_dropped", "duplicates", "too_long", "leaks")}
    summary |= write_parts(config, work, kept, places)
    kept.path.unlink()
    left_out.close()
    return summary
