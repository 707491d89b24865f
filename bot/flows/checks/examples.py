"""Examples that are too few, or that pull two ways. Pure, but for the classifier that it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from bot.content import Mistake
from bot.flows.model import Flows
from bot.understand.words import words_of

FEW = 5
"""From so many examples on an intent is told from others fairly well; ten and more are better."""

ALIKE = 0.85
"""Two examples that have this part of their words in common are nearly the same."""

FOLDS = 5
"""Into so many parts the examples are dealt; each part is judged by what was learned from the others."""

SURE = 0.8
"""An example that is taken for another intent so surely would start the wrong flow."""

Judge = Callable[[str], tuple[str, float] | None]
"""What a sentence is taken for, and how surely; None: for nothing that is known."""

Learn = Callable[[Mapping[str, Sequence[str]]], Judge]
"""Learns from examples."""


def check_examples(flows: Flows, learn: Learn | None = None) -> list[Mistake]:
    """Mistakes and warnings about examples. With ``learn``, those too that are taken for another intent by whoever has not seen them."""
    found = [*_few(flows), *_clashing(flows)]
    if learn is not None and len(flows.examples.intents) > 1:
        found += _misleading(flows, learn)
    return found


def _few(flows: Flows) -> Iterator[Mistake]:
    for name in flows.by_intent:
        count = len(flows.examples.intents.get(name, ()))
        if 0 < count < FEW:
            path, line = flows.places["intent of examples", name]
            text = f"the intent `{name}` has {count} {'example' if count == 1 else 'examples'}; write at least {FEW}, each in other words"
            yield Mistake(path, line, text, "warning")


def _clashing(flows: Flows) -> Iterator[Mistake]:
    """The same words in two intents, and nearly the same."""
    exact: dict[tuple[str, ...], tuple[str, str]] = {}
    holding: dict[str, list[tuple[frozenset[str], str, str]]] = {}
    for intent, sentences in flows.examples.intents.items():
        for sentence in sentences:
            words = tuple(words_of(sentence))
            path, line = flows.places["example", intent, sentence]
            if not words:
                yield Mistake(path, line, f"the example of `{intent}` has no words in it")
                continue
            other, same = exact.setdefault(words, (intent, sentence))
            if other != intent:
                where = flows.places["example", other, same]
                text = f"the intent `{other}` has the same example in {where[0].name}, line {where[1]}; leave it with one of the two"
                yield Mistake(path, line, text)
                continue
            kept = frozenset(words)
            rarest = sorted(kept)
            near = next(
                (
                    (other, there)
                    for word in rarest
                    for theirs, other, there in holding.get(word, ())
                    if other != intent and len(kept & theirs) / len(kept | theirs) >= ALIKE
                ),
                None,
            )
            if near is not None:
                where = flows.places["example", *near]
                text = f"the intent `{near[0]}` has nearly the same example in {where[0].name}, line {where[1]}"
                yield Mistake(path, line, text, "warning")
            for word in rarest:
                holding.setdefault(word, []).append((kept, intent, sentence))


def _misleading(flows: Flows, learn: Learn) -> Iterator[Mistake]:
    for fold in range(FOLDS):
        kept = {
            name: [sentence for number, sentence in enumerate(sentences) if number % FOLDS != fold]
            for name, sentences in flows.examples.intents.items()
        }
        if any(not sentences for sentences in kept.values()):
            continue  # an intent with one example alone; that is said already
        judge = learn(kept)
        for name, sentences in flows.examples.intents.items():
            for sentence in sentences[fold::FOLDS]:
                taken = judge(sentence)
                if taken is not None and taken[0] != name and taken[1] >= SURE:
                    path, line = flows.places["example", name, sentence]
                    text = (
                        f"by its words this example of `{name}` is one of `{taken[0]}`; "
                        f"move it there, or write more examples like it under `{name}`"
                    )
                    yield Mistake(path, line, text, "warning")
