"""Write with a model that was made to fill blanks, and with one that was made to go on.

A masked model gives each blank a distribution *given the text around it*. `fill` draws from these in an order that the
caller chooses; `gibbs` redraws every place, again and again, given all others (Geman and Geman 1984; Wang and Cho
2019, "BERT has a Mouth, and It Must Speak"). `continue_texts` writes from left to right until the end mark.

Shapes: B texts, S places. Special pieces are never written, but for the end mark. Taught in chapter 12.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

Guess = Callable[[Tensor], Tensor]  # ids (B, S) to logits: (B, S, V) at every place, or (B, V) of the next piece
Order = Literal["at once", "left to right", "any order", "most confident"]


def _draw(logits: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw a piece from each row of logits (..., V), or take the likeliest where there is no generator: (...)."""
    if generator is None:
        return logits.argmax(-1)
    return torch.multinomial(logits.flatten(0, -2).softmax(-1), 1, generator=generator).view(logits.shape[:-1])


def fill(guess: Guess, ids: Tensor, mask_id: int, *, order: Order, generator: torch.Generator | None = None) -> Tensor:
    """Fill every blank of texts (B, S), one blank of each text at a time unless `at once`.

    `most confident` takes the blank whose best guess is the most probable; the model guesses again after each piece.
    """
    ids = ids.clone()
    for _ in range(int((ids == mask_id).sum(1).amax())):  # and not for ever, should a model write the mask itself
        blank, logits = ids == mask_id, guess(ids)
        if order == "at once":
            return torch.where(blank, _draw(logits, generator), ids)
        if order == "left to right":
            wish = -torch.arange(ids.shape[1], device=ids.device).expand(ids.shape)
        elif order == "any order":
            wish = torch.rand(ids.shape, generator=generator)
        elif order == "most confident":
            wish = logits.softmax(-1).amax(-1)
        else:
            raise ValueError(f"order {order!r}: expected at once, left to right, any order or most confident")
        rows = blank.any(1).nonzero()[:, 0]
        place = wish.masked_fill(~blank, -torch.inf if wish.is_floating_point() else -ids.shape[1]).argmax(1)[rows]
        ids[rows, place] = _draw(logits[rows, place], generator)
    return ids


def gibbs(guess: Guess, ids: Tensor, free: Tensor, mask_id: int, *, sweeps: int, generator: torch.Generator) -> Tensor:
    """Redraw each `free` place (B, S) of texts given all the others, from left to right, `sweeps` times."""
    ids = ids.clone()
    for place in list(range(ids.shape[1])) * sweeps:
        rows = free[:, place].nonzero()[:, 0]
        if len(rows):
            asked = ids[rows]
            asked[:, place] = mask_id
            ids[rows, place] = _draw(guess(asked)[:, place], generator)
    return ids


def continue_texts(
    guess: Guess, ids: Tensor, end_id: int, *, longest: int, generator: torch.Generator | None = None
) -> Tensor:
    """Write on after texts (B, S) of one length each until `end_id` or the `longest` length; then 0."""
    done = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    while ids.shape[1] < longest and not bool(done.all()):
        piece = _draw(guess(ids), generator).masked_fill(done, 0)
        ids = torch.cat([ids, piece[:, None]], 1)
        done |= piece == end_id
    return ids
