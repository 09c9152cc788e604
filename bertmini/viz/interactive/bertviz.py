"""bertviz without a network: what it returns as HTML, made to stand alone in a frame.

bertviz (Vig 2019, "A multiscale visualization of attention in the Transformer model") draws well and loads badly: its
HTML fetches three libraries, holds every weight twice as text, has a new id each time, is black in every theme, and
ends early at a token `</script>`. Here its HTML and its script are kept, and around them

- require.js and its settings are cut out, and the parts of d3 and jQuery that bertviz calls stand in the page;
- the weights stand once, in base64, 8 bits each (16 where there are many tokens, whose weights are small);
- ids are fixed, `<` is escaped, colours follow the theme, and controls have names;
- drawings are as wide as the frame, names of tokens are not cut off, and a head that is off is an empty square;
- of several heads, each line is as opaque as its weight divided by the root of their number, where bertviz divides by
  the number itself and what remains cannot be seen.

Left out on purpose: bertviz's encoder-decoder views. Taught in chapter 13.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LIMIT = 2_000_000  # bytes of a view
LINES = 300_000  # lines in a view, which a browser has to keep
FEW_TOKENS = 64  # up to so many, a weight's 8 bits are finer than the eye
VECTOR_BITS = 16

CREDITS = "bertviz by Jesse Vig, Apache License 2.0; d3 by Mike Bostock, BSD 3-Clause License"
STYLE = """
p { margin: 0 0 8px; max-width: 60em }
select { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid; border-radius: 3px }
.scroll { overflow-x: auto }
#bertviz { background: var(--paper) !important }
#bertviz .dropdown-label { color: var(--ink) !important }
#bertviz text { fill: var(--ink) }
#bertviz svg[fill=black], #bertviz .attn_background[fill=black] { fill: var(--paper) }
#bertviz rect.background, #bertviz #leftText rect.highlight { fill: var(--line) }
#bertviz line[visibility=visible] { stroke-width: 3.5 }
@media (prefers-color-scheme: dark) { #bertviz svg { filter: brightness(1.5) } }
"""
PART_NAMES = ("all", "aa", "bb", "ab", "ba")  # of a pair, in bertviz's order: from sentence, to sentence


def offline(
    html: str,
    tokens: Sequence[str],
    second: int | None,
    *,
    hint: str,
    label: str,
    swaps: Mapping[str, str],
    **changed: int,
) -> str:
    """What `bertviz` returned, as the content of a page that asks nobody for anything.

    `html` is returned by `head_view`, `model_view` or `neuron_view.show` with `html_action="return"`; `tokens` are
    shown as they are, `second` is where the second sentence begins, if there is one. `hint` says above the view what
    the reader may do, `label` what the drawing shows, for readers who do not see it. `swaps` are places of bertviz's
    script that get another text, `changed` parameters that get another value. Raises `RuntimeError` for another bertviz
    than this was written for, `ValueError` if the view would be too large.
    """
    html, params = _take_params(html)
    html = _cut(html, r'<script src="https://[^"]*/require\.min\.js"></script>')
    html = _cut(html, r"require\.config\(\{.*?\}\s*\}\);")
    for old, new in swaps.items():
        html = _cut(html, re.escape(old), new)
    html = html.replace(params["root_div_id"], "bertviz").replace("d / activeHeads()", "d / Math.sqrt(activeHeads())")
    html = re.sub(r"<div id='vis'>", lambda _: f'<div id="vis" role="img" aria-label="{_escaped(label)}">', html)
    for name, words in (("layer", "Layer"), ("att_head", "Head"), ("filter", "Sentences")):
        html = html.replace(f'<select id="{name}">', f'<select id="{name}" aria-label="{words}">')
    html = re.sub(r"^[ \t]+", "", html, flags=re.MULTILINE)  # a quarter of the script is indentation
    data = json.dumps(_packed(params | {"root_div_id": "bertviz"} | changed, tokens, second)).replace("<", "\\u003c")
    if len(data) > LIMIT:
        raise too_large(len(data))
    here = files("bertmini.viz.interactive")
    d3, shim = (here.joinpath(name).read_text(encoding="utf-8") for name in ("vendored/d3.min.js", "bertviz_shim.js"))
    return (
        f"<!-- {CREDITS} --><style>{STYLE}</style><p>{_escaped(hint)}</p>"
        f'<script id="bertviz-data" type="application/json">{data}</script>'
        f"<script>{d3}</script><script>{shim}</script>"
        f'<div class="scroll" tabindex="0" role="group" aria-label="bertviz">{html}</div>'
    )


class Recorded:
    """A model and a tokenizer for bertviz's neuron view, which wants to ask them: they play back what was recorded.

    The tokens are none of its business: `offline` puts the true ones in, whatever letters they hold.
    """

    cls_token = sep_token = ""

    def __init__(self, **arrays: NDArray[np.float64]) -> None:
        """Keep `attn` (layers, heads, S, S), `queries` and `keys` (layers, heads, S, D) in the form that it wants."""
        self.layers = [
            {name: torch.from_numpy(array[layer])[None] for name, array in arrays.items()}
            for layer in range(len(arrays["attn"]))
        ]

    def tokenize(self, sentence: str) -> list[str]:  # noqa: ARG002
        """No tokens."""
        return []

    def convert_tokens_to_ids(self, tokens: list[str]) -> list[int]:
        """A number for each token, which nobody reads."""
        return [0] * len(tokens)

    def eval(self) -> None:
        """Nothing to switch off in a record."""

    def __call__(self, input_ids: Tensor, token_type_ids: Tensor | None = None) -> tuple[list[dict[str, Tensor]]]:  # noqa: ARG002
        """The record, as the last item of an output."""
        return (self.layers,)


def check_size(shape: tuple[int, ...], numbers: int = 0) -> None:
    """Refuse, before anything is drawn, what no page can bear.

    `shape` is (layers, heads, S, S), what will be shown; `numbers` says how many components of queries and keys come on
    top. Raises `ValueError` with the likely cure.
    """
    lines, bits = int(np.prod(shape)), _weight_bits(shape[-1])
    size = (lines * bits + numbers * VECTOR_BITS) // 6  # base64 holds 6 bits a byte
    if size > LIMIT:
        raise too_large(size)
    if not numbers and lines > LINES:
        raise ValueError(f"{lines:,} lines are more than a browser draws at ease ({LINES:,}): {_CURE}")


_CURE = "show fewer layers, as in layers=[0, 1], or cut the text"


def too_large(size: int) -> ValueError:
    """The error for a view of so many bytes."""
    return ValueError(f"the view would take {size / 1e6:.1f} MB, expected at most {LIMIT / 1e6:.0f} MB: {_CURE}")


def pack(numbers: NDArray[np.float64], bits: int, low: float, high: float) -> dict[str, Any]:
    """Numbers between `low` and `high` in steps of a 255th (8 bits) or a 65535th (16 bits), as a page can unpack them.

    >>> pack(np.array([0.0, 1.0]), 8, 0.0, 1.0)["uri"]
    'data:;base64,AP8='
    """
    steps = 2**bits - 1
    codes = np.rint((numbers - low) / (high - low) * steps).astype("<u1" if bits == 8 else "<u2")
    # Named as a data URI, so that whoever searches an output for words knows that there are none in it.
    uri = f"data:;base64,{base64.b64encode(codes.tobytes()).decode()}"
    return {"uri": uri, "bits": bits, "low": low, "high": high, "shape": list(numbers.shape)}


def _take_params(html: str) -> tuple[str, dict[str, Any]]:
    """The HTML without bertviz's parameters, which stand in it as JSON, and they themselves."""
    found = re.search(r"(?:const params|window\.bertviz_params) = (?=\{)", html)
    if found is None:
        raise _unknown("has no parameters")
    params, end = json.JSONDecoder().raw_decode(html[found.end() :])
    text = html[found.end() : found.end() + end]
    return html.replace(text, "window.bertviz_params"), params


def _cut(html: str, pattern: str, new: str = "") -> str:
    """The HTML with nothing, or something else, at the one place that fits the pattern."""
    html, count = re.subn(pattern, lambda _: new, html, flags=re.DOTALL)
    if count != 1:
        raise _unknown(f"fits {pattern!r} {count} times, not once")
    return html


def _unknown(what: str) -> RuntimeError:
    return RuntimeError(f"bertviz's HTML {what}: is it another version? pip install 'bertviz>=1.4.1,<1.5'")


def _packed(params: dict[str, Any], tokens: Sequence[str], second: int | None) -> dict[str, Any]:
    """bertviz's parameters with the weights once, packed; a pair's four parts are cut from the whole in the page."""
    parts = params["attention"]
    named: Mapping[str, Any] = parts if isinstance(parts, dict) else dict(zip(PART_NAMES, parts, strict=False))
    whole = named["all"]
    count = len(tokens)
    middle = count if second is None else second
    spans = {"a": [0, middle], "b": [middle, count]}
    rows = {"all": [0, count]} | {name: spans[name[0]] for name in PART_NAMES[1:]}
    columns = {"all": [0, count]} | {name: spans[name[1]] for name in PART_NAMES[1:]}
    texts = {
        name if isinstance(parts, dict) else str(place): {
            "left_text": list(tokens[slice(*rows[name])]),
            "right_text": list(tokens[slice(*columns[name])]),
            "rows": rows[name],
            "columns": columns[name],
        }
        for place, name in enumerate(named)
    }
    packed = {"attn": pack(np.asarray(whole["attn"]), _weight_bits(count), 0.0, 1.0)}
    for name in ("queries", "keys"):
        if name in whole:
            vectors = np.asarray(whole[name])
            most = float(np.abs(vectors).max()) or 1.0
            packed[name] = pack(vectors, VECTOR_BITS, -most, most)
    return {"params": params | {"attention": texts}, "packed": packed}


def _weight_bits(tokens: int) -> int:
    return 8 if tokens <= FEW_TOKENS else 16


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
