"""Keeps the part of a word that could be spelled.

answer: predictions
caught by: test-predictions
message: one [UNK]
"""

predictions = {
    "played": "playe ##d",
    "players": "playe ##rs",
    "unplayable": "unp ##lay ##able",
    "playing": "play [UNK]",
    "plays": "play ##s",
    "Played!": "playe ##d [UNK]",
    "un-played": "un [UNK] playe ##d",
    "34 3 4": "3 ##4 3 [UNK]",
}
