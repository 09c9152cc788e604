"""bertviz's three views of attention, as frames that draw offline, in a stored notebook, in both themes.

`head_view` shows the heads of one layer over each other, `model_view` all heads as small tiles, `neuron_view` the
queries and keys from which the weights come. All take what `bertmini.inside` returns, or arrays and tokens of any
origin:

    head_view(*attend(model, tokenizer, "the cat sat", "it was tired"))

Before each stands a still picture of the same attention, for readers and places without scripts. A weight says where a
token took from, which is not yet why the model answered as it did (chapter 14).

Taught in chapter 13.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from bertmini.inside.neurons import Vectors
from bertmini.inside.weights import Weights, check_attention
from bertmini.viz.interactive.bertviz import Recorded, check_size, offline
from bertmini.viz.interactive.frame import Frame
from bertmini.viz.maps import MOST_HEADS, attention_lines, attention_map, head_grid
from bertmini.viz.rows import product_map
from bertmini.viz.style import Picture

CAVEAT = "A weight says where a token took from, not why the model answers as it does (chapter 14)."
WIDTHS = (320, 480, 640, 720, 1000)  # of the frame, in pixels: from each on, another height
CONTROLS, LINE, LETTER = 62, 21, 7.6  # pixels: the choices above the drawing, a line of text, a letter
# What bertviz fixes in pixels is here fitted to the frame, now and whenever the frame's width changes.
FIT = (
    "let {name}; const fit = () => {{ const before = {name}; {name} = {width}; return before !== {name}; }}; fit(); "
    "const again = () => {{ if (fit()) {{ {draw} }} }}; addEventListener('resize', again); "
    # A frame may get its width before anybody listens: this one tells once at the beginning, too.
    "new ResizeObserver(again).observe(document.documentElement);"
)
SQUARES = {  # a head that is off is an empty square, in light and in dark
    '.attr("fill", (d, i) => d ? headColors(i): lighten(headColors(i)));': (
        '.attr("fill", (d, i) => d ? headColors(i) : "var(--paper)")'
        '.attr("stroke", (d, i) => headColors(i)).attr("stroke-width", 3);'
    ),
    '.attr("x", (d, i) => i * CHECKBOX_SIZE)': '.attr("x", (d, i) => 2 + i * 26)',
    '.attr("y", top)': '.attr("y", top + 2)',
}


def head_view(
    attentions: Any,
    tokens: Sequence[str],
    second: int | None = None,
    *,
    layer: int = 0,
    heads: Sequence[int] | None = None,
    layers: Sequence[int] | None = None,
    place: int | None = None,
    title: str = "",
) -> Frame:
    """bertviz's head view: the heads of one layer as coloured lines, the layer to be chosen.

    `attentions` is what `check_attention` takes, between S `tokens`. `second` is where the second of two sentences
    begins: the reader can then choose from which to which. `layer` is shown first, `heads` are switched on at first,
    `layers` can be chosen; without them all. With one head and a `place` the still picture shows that token's lines.
    Raises `ValueError` as `check_attention` does, for no such layer, head or sentence, and for more than 2 MB.
    """
    from bertviz import head_view as draw

    stack = check_attention(attentions, tokens)
    layers = _places("layer", layers, len(stack))
    heads = _places("head", heads, stack.shape[1])
    if layer not in layers:
        raise ValueError(f"layer {layer} is not among those to choose from: expected one of {layers}")
    check_size((len(layers), *stack.shape[1:]))
    title = title or f"Attention of layer {layer}, head view"
    if len(heads) > 1:
        picture = head_grid(stack, tokens, layers=[layer], heads=heads[:MOST_HEADS])
    elif place is None:
        picture = attention_map(stack[layer, heads[0]], tokens, title=f"Layer {layer}, head {heads[0]}")
    else:
        picture = attention_lines(stack[layer, heads[0]], tokens, place, title=f"Layer {layer}, head {heads[0]}")
    hint = (
        "Point at a token: on the left, to see what it attends to; on the right, to see what attends to it. "
        f"A coloured square switches a head on or off, a double click shows it alone. {CAVEAT}"
    )
    html = _drawn(draw, stack, tokens, second, layer=layer, heads=heads, include_layers=layers)
    swaps = SQUARES | {
        "const BOXWIDTH = 110;": f"const BOXWIDTH = {_name_width(tokens, 110)};",
        "const MATRIX_WIDTH = 115;": FIT.format(
            name="MATRIX_WIDTH", width="Math.max(115, innerWidth - 2 * BOXWIDTH - 24)", draw="renderVis();"
        ),
    }
    return _frame(html, tokens, second, hint, picture, round(22.5 * len(tokens)) + 34, title, swaps)


ENLARGED_HEAD = {
    # it stays inside the drawing, wherever its tile is
    "x = leftPos + THUMBNAIL_PADDING - DETAIL_WIDTH + 8;": (
        "x = Math.max(0, Math.min(leftPos - DETAIL_WIDTH + 13, maxX - DETAIL_WIDTH - 2));"
    ),
    # in a narrow frame it covers the tile whose second click would close it: its own click does, too
    'renderDetailText(config.rightText, "rightText", posRightText, y, layerIndex);': (
        'renderDetailText(config.rightText, "rightText", posRightText, y, layerIndex); '
        'config.svg.selectAll(".detail").on("click", () => { config.detail_layer = null; '
        'config.svg.selectAll(".detail").remove(); '
        'config.svg.selectAll(".attn_background").attr("fill", getBackgroundColor()).attr("stroke-opacity", 0); });'
    ),
}


def model_view(
    attentions: Any,
    tokens: Sequence[str],
    second: int | None = None,
    *,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    title: str = "",
) -> Frame:
    """bertviz's model view: every head of every layer as a tile that a click enlarges.

    Takes and refuses what `head_view` does, and more than 300,000 lines; `layers` and `heads` are those shown.
    """
    from bertviz import model_view as draw

    stack = check_attention(attentions, tokens)
    layers, heads = _places("layer", layers, len(stack)), _places("head", heads, stack.shape[1])
    check_size((len(layers), len(heads), *stack.shape[2:]))
    hint = f"A click on a tile shows the head in large, a click there closes it; point at a token to see it. {CAVEAT}"
    html = _drawn(draw, stack, tokens, second, include_layers=layers, include_heads=heads)
    columns = max(len(heads), 8)  # bertviz makes the tiles of few heads as tall as a page
    tile = len(tokens) * 7 * 12 / columns + 10
    height = round(max(len(layers) * tile + 42, 18 * len(tokens) + 64))
    box = _name_width(tokens, 80, 6.8)
    swaps = {
        "const DIV_WIDTH = 970;": FIT.format(
            name="DIV_WIDTH",
            width="Math.max(300, Math.min(1400, innerWidth - 24))",
            draw="config.detail_layer = null; render();",
        ),
        "const DETAIL_BOX_WIDTH = 80;": f"const DETAIL_BOX_WIDTH = {box};",
        "const DETAIL_WIDTH = 300;": f"const DETAIL_WIDTH = {2 * box + 140};",
        **ENLARGED_HEAD,
    }
    picture = head_grid(stack, tokens, layers=layers, heads=heads[:MOST_HEADS])
    title = title or "Attention of all heads, model view"
    return _frame(html, tokens, second, hint, picture, height, title, swaps, total_heads=columns)


def neuron_view(
    attentions: Any,
    tokens: Sequence[str],
    second: int | None,
    queries: Vectors,
    keys: Vectors,
    *,
    layer: int = 0,
    head: int = 0,
    place: int = 0,
    title: str = "",
) -> Frame:
    """bertviz's neuron view: the query and the keys under one token's weights, product by product.

    Takes what `listen` returns, as in `neuron_view(*listen(model, tokenizer, "the cat sat"))`: attention as in
    `head_view`, with queries and keys (layers, heads, S, D). `layer` and `head` are shown first; the still picture
    takes the weights of the token `place` apart. Raises `ValueError` as `head_view` does, for no such place, and for
    queries and keys of other shapes.
    """
    from bertviz.neuron_view import show

    stack, second = check_attention(attentions, tokens), _checked_second(second, tokens)
    _places("layer", [layer], len(stack))
    _places("head", [head], stack.shape[1])
    _places("token", [place], len(tokens))
    _check_vectors(stack.shape, queries=queries, keys=keys)
    check_size(stack.shape, queries.size + keys.size)
    recorded = Recorded(attn=stack, queries=queries, keys=keys)
    html = show(
        recorded,
        "bert",
        recorded,
        "first",
        None if second is None else "second",
        display_mode="light",
        layer=layer,
        head=head,
        html_action="return",
    ).data
    hint = (
        "Point at a token on the left, and click the plus beside it, to see its query, the keys, their products and "
        f"sums; blue is positive, orange negative. {CAVEAT}"
    )
    picture = product_map(
        queries[layer, head, place], keys[layer, head], tokens, place, title=f"Layer {layer}, head {head}"
    )
    swaps = {
        "const MATRIX_WIDTH = 200;": "const MATRIX_WIDTH = Math.max(100, Math.min(300, (innerWidth - 420) / 3));",
        "q \\u00D7 k (elementwise)": "q \\u00D7 k",  # a heading as narrow as its column
    }
    title = title or f"Queries and keys of layer {layer}, head {head}"
    return _frame(html, tokens, second, hint, picture, 26 * len(tokens) + 136, title, swaps)


def _check_vectors(shape: tuple[int, ...], **named: Vectors) -> None:
    """Refuse vectors that are not one for each token of each head of attention of this shape."""
    for name, vectors in named.items():
        if vectors.ndim != 4 or vectors.shape[:3] != shape[:3]:
            raise ValueError(f"the {name} have the shape {vectors.shape}: expected {shape[:3]} and the size of a head")


def _frame(
    html: str,
    tokens: Sequence[str],
    second: int | None,
    hint: str,
    picture: Picture,
    height: int,
    title: str,
    swaps: Mapping[str, str],
    **changed: int,
) -> Frame:
    """The frame around what bertviz returned; `height` is the drawing's."""
    page = offline(html, tokens, second, hint=hint, label=picture.alt, swaps=swaps, **changed)
    heights = {width: height + CONTROLS + LINE * math.ceil(len(hint) * LETTER / (width - 18)) for width in WIDTHS}
    return Frame(page, picture, f"{title}. {picture.alt}", heights, title)


def _name_width(tokens: Sequence[str], least: int, letter: float = 8.0) -> int:
    """Pixels that the longest token needs."""
    return max(least, math.ceil(letter * max(map(len, tokens))) + 12)


def _drawn(draw: Callable[..., Any], stack: Weights, tokens: Sequence[str], second: int | None, **choices: Any) -> str:
    """What one of bertviz's functions makes of the weights: one tensor (1, heads, S, S) per layer, as it wants them."""
    layers = [torch.from_numpy(layer)[None] for layer in stack]
    second = _checked_second(second, tokens)
    html: str = draw(layers, list(tokens), second, prettify_tokens=False, html_action="return", **choices).data
    return html


def _places(what: str, chosen: Sequence[int] | None, count: int) -> list[int]:
    """The chosen layers or heads, all if none are named."""
    places = list(range(count)) if chosen is None else [int(place) for place in chosen]
    if wrong := [place for place in places if not 0 <= place < count]:
        raise ValueError(f"there is no {what} {wrong[0]}: expected 0 to {count - 1}")
    if not places:
        raise ValueError(f"no {what} is chosen: expected some of 0 to {count - 1}")
    return places


def _checked_second(second: int | None, tokens: Sequence[str]) -> int | None:
    if second is not None and not 0 < second < len(tokens):
        raise ValueError(
            f"the second sentence begins at token {second}: expected 1 to {len(tokens) - 1}, or None for one sentence"
        )
    return second
