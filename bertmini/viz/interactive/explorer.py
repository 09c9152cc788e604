"""Our own attention viewer: every head, token and weight within reach of the keyboard, said as well as shown.

What it shows beyond bertviz: numbers, a name for each head (`patterns`), heads forming over training, two texts or two
models side by side, rollout, what a prediction becomes without a head, and where in a corpus a head gives most. All
that it shows at a training step was computed by that step's model, in Python (`packing`). It is one page of plain
JavaScript: explorer.js and explorer_panels.js for what needs no page, explorer_page.js for the page.

Left out on purpose: queries and keys under a weight (neuron_view has them). Taught in chapter 13.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from bertmini.inside.patterns import percent
from bertmini.viz.interactive.frame import Frame, tight
from bertmini.viz.interactive.layout import heights
from bertmini.viz.interactive.packing import Packer, Shown, Side, by_name, make_side
from bertmini.viz.maps import MOST_HEADS, head_grid
from bertmini.viz.rows import attention_rows
from bertmini.viz.style import Picture

MOST_BYTES = 2_000_000
MOST_ROWS = 12  # of the still picture of several readings
HINT = "Arrow keys move between heads and between tokens."
CAVEAT = "A weight says where a token took from. It does not yet say why the model answers as it does."
PROGRAMS = ("explorer.js", "explorer_panels.js", "explorer_page.js")


def explore(
    shown: Shown | Mapping[str, Shown],
    *,
    beside: Shown | Mapping[str, Shown] | None = None,
    names: tuple[str, str] = ("first", "second"),
    title: str = "",
    head: tuple[int, int] = (0, 0),
    place: int | None = None,
) -> Frame:
    """Explore what a model does with a text, as in `explore(read_text(model, tokenizer, "the cat [MASK] down"))`.

    `shown` is a reading, as `read_text` or `attend` return it; or a list of (training step, reading), for a slider to
    run through; or a dict of either by name, for a choice of texts. `beside` is another text or model of the same kind,
    with `names` for the two: a text with one word changed is a counterfactual. The view opens at `head`, a (layer,
    head), and at the token `place`, without it the first that is guessed, or else the first after `[CLS]`. Raises
    `ValueError` as `check_attention` does, for steps that do not belong together, no such head or place, and more than
    2 MB.
    """
    title = title or "Attention explorer"
    texts = _sides(by_name(shown), None if beside is None else by_name(beside), names, title)
    packer = Packer()
    packed: list[dict[str, Any]] = []
    for name, sides in texts.items():
        starts = [_start(side, head if side is sides[0] else None, place) for side in sides]
        packed.append({"name": name, "sides": list(map(packer.side, sides, starts))})
    data = {
        "texts": packed,
        "start": head,
        "note": f"{HINT} {CAVEAT}",
        "words": list(packer.words),
        "found": packer.found,
    }
    html = _html(data)
    if (size := len(html.encode())) > MOST_BYTES:
        raise ValueError(
            f"the view would have {size / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.0f}: pass fewer texts, "
            "training steps, tokens or layers (attentions[:4])"
        )
    starts = [text["sides"][0]["place"] for text in packed]
    picture = _still(list(texts.values()), starts, head, "" if title == "Attention explorer" else title)
    alt = f"{title}. {' '.join(_words(side, alone=len(sides) == 1) for sides in texts.values() for side in sides)}"
    return Frame(html, picture, f"{alt} {CAVEAT}", heights(data), title, downloads=True)


def _sides(
    shown: dict[str, Shown], beside: dict[str, Shown] | None, names: tuple[str, str], title: str
) -> dict[str, list[Side]]:
    """Each text's one or two sides, by its name."""
    if beside is None:
        return {name: [make_side(name or title, one)] for name, one in shown.items()}
    if list(beside) != list(shown):
        raise ValueError(f"beside has the texts {list(beside)}: expected the same as are shown, {list(shown)}")
    texts = {name: [make_side(names[0], shown[name]), make_side(names[1], beside[name])] for name in shown}
    for first, second in texts.values():
        steps = [[step for step, _ in side.steps] for side in (first, second)]
        if steps[0] != steps[1] and min(map(len, steps)) > 1:
            raise ValueError(
                f"the two have the training steps {steps[0]} and {steps[1]}: expected the same, or one step"
            )
    return texts


def _start(side: Side, head: tuple[int, int] | None, place: int | None) -> int:
    """The token at which a side opens, after the head was found to exist, if one is given."""
    layers, heads = side.shape
    if head is not None and not (0 <= head[0] < layers and 0 <= head[1] < heads):
        raise ValueError(f"head is {head}: expected a layer below {layers} and a head below {heads}")
    count, ablation = len(side.tokens), side.steps[-1][1].ablation
    if place is None:
        return ablation[0].place if ablation else min(1, count - 1)
    if not 0 <= place < count:
        raise ValueError(f"place is {place}: expected one of the tokens 0 to {count - 1}")
    return place


def _still(texts: list[list[Side]], places: list[int], head: tuple[int, int], title: str) -> Picture:
    """All heads of one reading; of several, what one token takes in one head in each: that is their point."""
    sides = [(side, place) for text, place in zip(texts, places, strict=True) for side in text]
    if len(sides) == len(sides[0][0].steps) == 1:
        reading = sides[0][0].steps[0][1]
        return head_grid(reading.attentions[:, :MOST_HEADS], reading.tokens, title=title)
    rows = []
    for side, place in sides:
        at = tuple(min(number, most - 1) for number, most in zip(head, side.shape, strict=True))
        for step, reading in side.steps:
            name = " ".join(
                [*([side.name] if len(sides) > 1 else []), *([f"step {step}"] if len(side.steps) > 1 else [])]
            )
            here = min(place, len(reading.tokens) - 1)
            best = next((one.whole for one in reading.ablation if one.place == here), None)
            note = f"{best.pieces[0]} {percent(best.probabilities[0])}" if best else ""
            rows.append((name, reading.tokens, here, reading.attentions[at][here], note))
    return attention_rows(rows[:MOST_ROWS], title=f"{title}: layer {head[0]}, head {head[1]}" if title else "")


def _words(side: Side, *, alone: bool) -> str:
    """What can be explored here."""
    layers, heads = side.shape
    numbers = [str(step) for step, _ in side.steps]
    over = f" at training steps {', '.join(numbers)}" if len(numbers) > 1 else ""
    size = f"{layers} layer{'s' * (layers > 1)} by {heads} head{'s' * (heads > 1)} between {len(side.tokens)} tokens"
    return f"{'' if alone else f'{side.name}: '}{size}{over}: {' '.join(side.tokens)}."


def _html(data: dict[str, Any]) -> str:
    """Styles, data and program, without comments and indentation, as the frame takes them."""
    folder = files("bertmini.viz.interactive")
    css, *programs = ((folder / name).read_text(encoding="utf-8") for name in ("explorer.css", *PROGRAMS))
    payload = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    program = "\n".join(bare(text) for text in programs)
    return (
        f"<style>{tight(bare(css))}</style><script type='application/json'>{payload}</script>"
        f"<script>\n{program}\n</script>"
    )


def bare(program: str) -> str:
    """A program without indentation, empty lines and lines that are comments.

    >>> bare("// what\\n  a = 1;\\n\\n  b = 2; // this stays")
    'a = 1;\\nb = 2; // this stays'
    """
    lines = (line.strip() for line in program.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith(("//", "/*")))
