"""Believes in one joint: equal as often after A as after B.

answer: predictions
caught by: test-predictions
message: either side
"""

# Replace each None by a number, and delete the line below the dictionary.
predictions = {
    "the odds ratio, read from A's row": None,
    "the odds ratio, read from B's row": None,
    "three lines: both blanks are drawn at once; the line is possible": None,
    "what B's 0.25 would have to be for a joint to exist, if B's 0.5 stays": None,
    "in the long run: A is milk": None,
    "in the long run, just after A was drawn: A and B are equal": None,
    "in the long run, just after B was drawn: A and B are equal": None,
    "three lines: the likeliest piece, most confident blank first; the probability of the line that comes out": None,
}
predictions = dict(zip(predictions, [6, 3, 0.52, 1 / 7, 5 / 9, 11 / 18, 11 / 18, 0.3], strict=True))
