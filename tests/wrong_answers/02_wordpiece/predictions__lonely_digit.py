"""Takes ##4 for a word of its own: nearly right.

answer: predictions
caught by: test-predictions
message: a digit may need another piece
"""

predictions = {
    "played": "playe ##d",
    "players": "playe ##rs",
    "unplayable": "unp ##lay ##able",
    "playing": "[UNK]",
    "plays": "play ##s",
    "Played!": "playe ##d [UNK]",
    "un-played": "un [UNK] playe ##d",
    "34 3 4": "3 ##4 3 ##4",
}
