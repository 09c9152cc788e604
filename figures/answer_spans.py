"""A question is answered by two places in the passage, or by [CLS]; a long passage is read through windows."""

from figures.drawing import BLUE, GREEN, INK, MUTED, ORANGE, PINK, SMALL, Drawing

DESCRIPTION = """
Above, a row of tokens: [CLS], the question "where does ada live ?", [SEP], and the end of a passage, "she lives in ash
##ford .". Under each token of the passage, and under [CLS], stand two bars, one for how well the answer could begin
there and one for how well it could end there. The tallest start bar stands under ash, the tallest end bar under
##ford; together they mark the answer ashford. The two bars under [CLS] are low: they stand for "no answer". Below, a
long passage as a strip of sentences: "ada keeps a cat. bruno lives in norton. it was a long day. she lives in
ashford." A first window covers the first two and sees ada and a home that is not hers; a second covers the last two and
sees she without ada. A third window, dashed, overlaps both and sees ada and she together.
"""
TOKENS = ("[CLS]", "where", "does", "ada", "live", "?", "[SEP]", "...", "she", "lives", "in", "ash", "##ford", ".")
WIDTHS = (52, 54, 46, 44, 44, 26, 52, 34, 46, 50, 34, 48, 60, 26)
STARTS = {0: 0.18, 7: 0.1, 8: 0.25, 9: 0.08, 10: 0.16, 11: 0.95, 12: 0.3, 13: 0.05}
ENDS = {0: 0.14, 7: 0.08, 8: 0.1, 9: 0.06, 10: 0.1, 11: 0.35, 12: 0.9, 13: 0.25}
BASE, TALL = 190, 78


def draw() -> Drawing:
    """The drawing."""
    d = Drawing(470, title="An answer is two places in the passage", description=DESCRIPTION)
    d.text(20, 22, "1  Where does the answer begin, where does it end?", anchor="start", bold=True)
    x = 22.0
    for number, (token, width) in enumerate(zip(TOKENS, WIDTHS, strict=True)):
        asked, special = 0 < number < 6, token in ("[CLS]", "[SEP]")
        colour = GREEN if asked else ORANGE if number > 6 else PINK
        answer = token in ("ash", "##ford")
        d.box(x, 46, width, 30, token, colour=colour, strength=0.45 if answer else 0.14, size=SMALL, bold=answer)
        if number in STARTS:
            middle = x + width / 2
            for shift, height, fill in ((-11, STARTS[number], BLUE), (1, ENDS[number], INK)):
                d.box(middle + shift, BASE - TALL * height, 10, TALL * height, colour=fill, strength=0.75, radius=1)
        if special and number == 0:
            d.text(x + width / 2, BASE + 20, "no answer", size=SMALL, colour=MUTED)
        x += width + 9
    d.text(85, 100, "the question", size=SMALL, colour=MUTED, anchor="start")
    d.box(270, 104, 10, 16, colour=BLUE, strength=0.75, radius=1)
    d.text(288, 112, "begins here", size=SMALL, anchor="start")
    d.box(270, 130, 10, 16, colour=INK, strength=0.75, radius=1)
    d.text(288, 138, "ends here", size=SMALL, anchor="start")
    d.arrow((602, BASE + 12), (718, BASE + 12), head=False, width=2.4, colour=BLUE)
    d.text(660, BASE + 30, "ashford", bold=True)

    d.text(20, 262, "2  A passage that does not fit is read through windows", anchor="start", bold=True)
    sentences = ("ada keeps a cat.", "bruno lives in norton.", "it was a long day.", "she lives in ashford.")
    x, edges = 22.0, []
    for text, width in zip(sentences, (158, 194, 172, 196), strict=True):
        strong = text.startswith(("ada", "she"))
        box = d.box(x, 288, width, 34, text, colour=ORANGE, strength=0.3 if strong else 0.08, size=SMALL, bold=strong)
        edges.append(box)
        x += width + 12
    first = d.box(
        22, 340, 364, 30, "window 1: *ada*, and a home, but *bruno*'s", colour=BLUE, strength=0.14, size=SMALL
    )
    second = d.box(398, 340, 380, 30, "window 2: *she*, but who is she?", colour=BLUE, strength=0.14, size=SMALL)
    d.text((first.right[0] + second.left[0]) / 2, 390, "nothing passes from one to the other", size=SMALL, colour=MUTED)
    d.box(
        22, 412, 756, 30, "only a window that holds both sentences can answer", colour=GREEN, strength=0.14, size=SMALL,
        dashed=True,
    )  # fmt: skip
    return d


if __name__ == "__main__":
    draw().save(__file__)
