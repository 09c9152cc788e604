"""One guess taken apart by four methods side by side: attention, rollout, integrated gradients, one word masked.

They need not agree, because they answer different questions. The first two are shares of a mixture and ask nothing
of the model's answer; the other two are nats of the guess's log-probability, and may be negative.

Shapes: S tokens. Taught in chapter 14.
"""

from typing import Any, NamedTuple

from bertmini.inside.attend import attend, evaluating, inputs_of
from bertmini.inside.gradients import integrated_gradients
from bertmini.inside.patching import resample_tokens
from bertmini.inside.rollout import rollout
from bertmini.inside.score import Array, answer, log_probability, predicted


class Explained(NamedTuple):
    """A text's tokens, where the blank is, the model's guess there and its probability, and each method's scores."""

    tokens: list[str]
    place: int
    guess: str
    probability: float
    scores: dict[str, Array]
    """By the method's name, (S,)."""


def explain_guess(model: Any, tokenizer: Any, text: str, *, steps: int = 64) -> Explained:
    """Take the guess at the one [MASK] of a text apart; the model is left as it is.

    A word says nothing, for integrated gradients and for masking, when it is a [MASK]. Raises `ValueError` as `attend`
    does, and for a text without a [MASK] or with more than one.
    """
    attentions, tokens, _ = attend(model, tokenizer, text)
    places = [place for place, token in enumerate(tokens) if token == tokenizer.mask_token]
    if len(places) != 1:
        raise ValueError(f"the text has {len(places)} [MASK]: expected one, the place whose guess is explained")
    place, inputs = places[0], inputs_of(model, tokenizer, tokens, None)
    with evaluating(model):
        chances = predicted(answer(model, inputs))[0, place, : len(tokenizer)].double().softmax(-1).cpu().numpy()
    best = int(chances.argmax())
    guess = log_probability(place, best)
    ends = (tokenizer.cls_token, tokenizer.sep_token)
    silent = [token if token in ends else tokenizer.mask_token for token in tokens]
    blank = inputs_of(model, tokenizer, silent, None)["input_ids"]
    found = {
        "attention, last layer": attentions[-1].mean(0)[place],
        "rollout": rollout(attentions, tokens)[-1][place],
        "integrated gradients": integrated_gradients(model, inputs, guess, blank, steps=steps).parts,
        "one word masked": resample_tokens(model, inputs, guess, blank),
    }
    return Explained(list(tokens), place, tokenizer.convert_ids_to_tokens([best])[0], float(chances[best]), found)
