"""Our own attention viewer: every head, token and weight within reach of the keyboard, said as well as shown.

What it shows beyond bertviz: numbers, a name for each head (`patterns`), heads forming over training, two texts or two
models side by side, rollout (Abnar and Zuidema 2020), and what a prediction becomes without a head (`ablation`). It is
one page of plain JavaScript, explorer.js for what can be computed without a page and explorer_page.js for the page.

Weights travel as one character each, in steps of 1/200, cut so that a number with two decimals is exact.

Left out on purpose: queries and keys under a weight (neuron_view has them). Taught in chapter 13.
"""

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from bertmini.inside.ablation import Ablation
from bertmini.inside.patterns import Pattern, head_patterns
from bertmini.inside.rollout import rollout
from bertmini.inside.weights import Weights, check_attention
from bertmini.viz.interactive.frame import Frame, tight
from bertmini.viz.maps import MOST_HEADS, head_grid

LEVELS = 200
# From "?" on what neither HTML nor JSON has to escape, no digits; past ASCII from "À" on. explorer.js has the same.
ALPHABET = [chr(code) for code in (*range(63, 127), *range(192, 350)) if chr(code) != "\\"]
MOST_BYTES = 2_000_000
HINT = "Arrow keys move between heads and between tokens."
CAVEAT = "A weight says where a token took from. It does not yet say why the model answers as it does."


def explore(
    attentions: Any,
    tokens: Sequence[str],
    second: int | None = None,
    *,
    title: str = "",
    ablation: Sequence[Ablation] = (),
    beside: tuple[Any, ...] | None = None,
    names: tuple[str, str] = ("first", "second"),
    head: tuple[int, int] = (0, 0),
    place: int | None = None,
) -> Frame:
    """Explore one text's attention, as in `explore(*attend(model, tokenizer, "the cat sat"))`.

    `attentions` is what `check_attention` takes, or a list of (training step, attentions) for a slider to run through;
    `second` is where the second of two sentences begins. `ablation`, from `ablate_heads`, says what is guessed without
    each head. `beside` is another text's or model's attentions, tokens and `second`, as `attend` returns them, and
    `names` what the two are. The view opens at `head`, a (layer, head), and at the token `place`, without it the first
    that is guessed, or else the first after `[CLS]`. Raises `ValueError` as `check_attention` does, for steps of
    different models, no such head or place, and more than 2 MB.
    """
    title = title or "Attention explorer"
    if beside is None:
        sides = [_Side(title, _by_step(attentions, tokens), list(tokens), second)]
    else:
        others, its_tokens, its_second = (*beside, None)[:3]
        first = _Side(names[0], _by_step(attentions, tokens), list(tokens), second)
        sides = [first, _Side(names[1], _by_step(others, its_tokens), list(its_tokens), its_second)]
    stack = sides[0].steps[-1][1]
    place = _checked_start(stack, head, place, ablation)
    packed = [_packed(side, place) for side in sides]
    if ablation:
        packed[0]["guesses"] = _packed_guesses(ablation)
    html = _html({"sides": packed, "start": head, "note": f"{HINT} {CAVEAT}"})
    if (size := len(html.encode())) > MOST_BYTES:
        raise ValueError(
            f"the view would have {size / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.0f}: pass fewer layers "
            "(attentions[:4]), training steps or tokens"
        )
    picture = head_grid(stack[:, :MOST_HEADS], tokens, title="" if title == "Attention explorer" else title)
    alt = f"{title}. {' '.join(side.words(alone=beside is None) for side in sides)} {CAVEAT}"
    height = min(980, max(90 * len(stack) + 500, 860))
    return Frame(html, picture, alt, height, title, downloads=True)


class _Side(NamedTuple):
    """One text read by one model, at one or more training steps."""

    name: str
    steps: list[tuple[int, Weights]]
    tokens: list[str]
    second: int | None

    def words(self, *, alone: bool) -> str:
        """What can be explored here."""
        layers, heads = self.steps[0][1].shape[:2]
        over = f" at training steps {', '.join(str(step) for step, _ in self.steps)}" if len(self.steps) > 1 else ""
        size = f"{layers} layers by {heads} heads between {len(self.tokens)} tokens"
        return f"{'' if alone else f'{self.name}: '}{size}{over}: {' '.join(self.tokens)}."


def _by_step(attentions: Any, tokens: Sequence[str]) -> list[tuple[int, Weights]]:
    """Checked weights by training step; a text without steps has the one step 0."""
    listed = attentions is not None and len(attentions) and isinstance(attentions[0], tuple)
    if not (listed and isinstance(attentions[0][0], int)):
        return [(0, check_attention(attentions, tokens))]
    steps = [(step, check_attention(weights, tokens)) for step, weights in attentions]
    shapes = sorted({weights.shape[:2] for _, weights in steps})
    if len(shapes) > 1:
        raise ValueError(f"the steps have (layers, heads) {shapes[0]} and {shapes[1]}: expected one model's")
    return steps


def _checked_start(stack: Weights, head: tuple[int, int], place: int | None, ablation: Sequence[Ablation]) -> int:
    """Where the view opens: the token, after the head was found to exist."""
    layers, heads, count = stack.shape[:3]
    if not (0 <= head[0] < layers and 0 <= head[1] < heads):
        raise ValueError(f"head is {head}: expected a layer below {layers} and a head below {heads}")
    if place is None:
        return ablation[0].place if ablation else min(1, count - 1)
    if not 0 <= place < count:
        raise ValueError(f"place is {place}: expected one of the tokens 0 to {count - 1}")
    return place


def _packed(side: _Side, place: int) -> dict[str, Any]:
    """A side as the page reads it."""
    layers, heads = side.steps[0][1].shape[:2]
    return {
        "name": side.name,
        "tokens": side.tokens,
        "second": side.second,
        "layers": layers,
        "heads": heads,
        "place": place,
        "steps": [
            [
                step,
                encode(weights),
                [_facts(p) for layer in head_patterns(weights, side.tokens) for p in layer],
                encode(rollout(weights, side.tokens)),
            ]
            for step, weights in side.steps
        ],
    }


def encode(weights: Weights) -> str:
    """Weights as characters: number k of the alphabet says k/200 <= weight < (k+1)/200.

    >>> encode(np.array([0.0, 0.005, 0.1, 0.3]))
    '?@S|'
    """
    levels = np.clip(np.floor(weights * LEVELS + 1e-9), 0, LEVELS).astype(int)
    return "".join(np.array(ALPHABET)[levels.ravel()])


def _facts(pattern: Pattern) -> list[str | float]:
    """A head's words, its four shares and its breadth in per cent, its entropy and distance."""
    shares = [round(100 * share) for share in (*pattern.shares.values(), pattern.breadth)]
    return [pattern.words, *shares, round(pattern.entropy, 2), round(pattern.distance, 1)]


def _packed_guesses(ablation: Sequence[Ablation]) -> dict[str, Any]:
    """Guesses as numbers of words and per mille: [place, whole, by head [first word's, word, chance, word, ...]]."""
    every = [guesses for one in ablation for guesses in (one.whole, *(g for layer in one.without for g in layer))]
    words = sorted({piece for guesses in every for piece in guesses.pieces})
    number = {word: i for i, word in enumerate(words)}

    def flat(pieces: list[str], probabilities: list[float]) -> list[int]:
        pairs = zip(pieces, probabilities, strict=True)
        return [value for piece, chance in pairs for value in (number[piece], round(1000 * chance))]

    places = [
        [
            one.place,
            flat(one.whole.pieces, one.whole.probabilities),
            [[round(1000 * cut.first), *flat(cut.pieces, cut.probabilities)] for layer in one.without for cut in layer],
        ]
        for one in ablation
    ]
    return {"words": words, "places": places}


def _html(data: dict[str, Any]) -> str:
    """Styles, data and program, without comments and indentation, as the frame takes them."""
    folder = files("bertmini.viz.interactive")
    css, *programs = (
        (folder / name).read_text(encoding="utf-8") for name in ("explorer.css", "explorer.js", "explorer_page.js")
    )
    style = tight(bare(css))
    payload = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    program = "\n".join(bare(text) for text in programs)
    return f"<style>{style}</style><script type='application/json'>{payload}</script><script>\n{program}\n</script>"


def bare(program: str) -> str:
    """A program without indentation, empty lines and lines that are comments.

    >>> bare("// what\\n  a = 1;\\n\\n  b = 2; // this stays")
    'a = 1;\\nb = 2; // this stays'
    """
    lines = (line.strip() for line in program.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith(("//", "/*")))
