"""Cuts where a reader would.

answer: predictions
caught by: test-predictions
message: take the longest piece that fits
"""

predictions = {
    "played": "play ##ed",
    "players": "playe ##rs",
    "unplayable": "un ##play ##able",
    "playing": "[UNK]",
    "plays": "play ##s",
    "Played!": "play ##ed [UNK]",
    "un-played": "un [UNK] play ##ed",
    "34 3 4": "3 ##4 3 [UNK]",
}
