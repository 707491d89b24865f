"""What was learned, as a file: arrays only, so that reading one runs nothing, and replaced as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bot.understand.intents.model import Tier
from bot.understand.intents.scope import Nearness, Scope
from bot.understand.intents.terms import Terms

FORMAT = "legato intents 2"


@dataclass(frozen=True, slots=True)
class Kept:
    """All that a classifier consists of, beside the encoder and the table of words. ``meaning`` is None where there was no encoder."""

    names: tuple[str, ...]
    terms: Terms
    words: Tier
    meaning: Tier | None
    unsure: float


def fingerprint(examples: Mapping[str, Sequence[str]], settings: Sequence[object]) -> str:
    """A name for what is learned from these examples with these settings: 64 hexadecimal digits."""
    given = [FORMAT, [str(one) for one in settings], sorted((name, list(texts)) for name, texts in examples.items())]
    return hashlib.sha256(json.dumps(given).encode()).hexdigest()


def save(file: Path, kept: Kept) -> None:
    """Write the file in one step; where it cannot be written the classifier simply is not kept."""
    arrays = {
        "format": _bytes([FORMAT]),
        "names": _bytes(kept.names),
        "word_terms": _bytes(kept.terms.word_terms),
        "run_terms": _bytes(kept.terms.run_terms),
        "written": _bytes(kept.terms.written),
        "rarity": kept.terms.rarity,
        "unsure": np.array([kept.unsure]),
        **_tier_arrays("words", kept.words),
        **(_tier_arrays("meaning", kept.meaning) if kept.meaning is not None else {}),
    }
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                np.savez(stream, allow_pickle=False, **arrays)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(name, file)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise


def load(file: Path) -> Kept | None:
    """Read the file; None where there is none, or it is not whole or not ours."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            if _strings(arrays["format"]) != [FORMAT]:
                return None
            terms = Terms(_strings(arrays["word_terms"]), _strings(arrays["run_terms"]), arrays["rarity"], _strings(arrays["written"]))
            names = tuple(_strings(arrays["names"]))
            words = _tier("words", arrays)
            meaning = _tier("meaning", arrays) if "meaning.terms" in arrays else None
            kept = Kept(names, terms, words, meaning, float(arrays["unsure"][0]))
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile, UnicodeDecodeError):
        return None
    return kept if _fits(kept) else None


def _fits(kept: Kept) -> bool:
    """Whether the arrays belong together."""
    if len(kept.terms) != len(kept.terms.word_terms) + len(kept.terms.run_terms):
        return False
    for tier in (kept.words, kept.meaning):
        if tier is not None and (
            tier.terms.shape != (len(kept.terms), len(kept.names))
            or tier.bias.shape != (len(kept.names),)
            or tier.dense.shape[1:] != (len(kept.names),)
            or len(tier.near.starts) != len(kept.names) + 1
            or len(tier.near.examples) != tier.near.starts[-1]
        ):
            return False
    return True


def _tier_arrays(prefix: str, tier: Tier) -> dict[str, Any]:
    return {
        f"{prefix}.terms": tier.terms,
        f"{prefix}.dense": tier.dense,
        f"{prefix}.bias": tier.bias,
        f"{prefix}.numbers": np.array([tier.sharpness, tier.scope.bias]),
        f"{prefix}.examples": tier.near.examples.astype(np.float16),
        f"{prefix}.starts": tier.near.starts,
        f"{prefix}.middles": tier.near.middles,
        f"{prefix}.scope": np.stack([tier.scope.means, tier.scope.spreads, tier.scope.weights]),
    }


def _tier(prefix: str, arrays: Any) -> Tier:
    sharpness, bias = arrays[f"{prefix}.numbers"].tolist()
    means, spreads, weights = arrays[f"{prefix}.scope"]
    near = Nearness(arrays[f"{prefix}.examples"].astype(np.float32), arrays[f"{prefix}.starts"], arrays[f"{prefix}.middles"])
    scope = Scope(means, spreads, weights, bias)
    return Tier(arrays[f"{prefix}.terms"], arrays[f"{prefix}.dense"], arrays[f"{prefix}.bias"], sharpness, near, scope)


def _bytes(strings: Sequence[str]) -> Any:
    return np.frombuffer("\n".join(strings).encode(), np.uint8)


def _strings(array: Any) -> list[str]:
    text = array.tobytes().decode()
    return text.split("\n") if text else []
