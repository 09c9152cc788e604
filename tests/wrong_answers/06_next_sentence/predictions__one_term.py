"""Takes ln 2 for the minimum, as if there were one term.

answer: predictions
caught by: test-predictions
message: pays for both answers at once
"""

predicted = {
    "no_news": 0.5,
    "rare_next": 0.5,
    "both_terms": math.log(2),
    "yes_sayer": -(math.log(0.9) + math.log(0.1)) / 2,
    "best_accuracy": 0.8,
    "topic_if_swapped": 0.0,
}
