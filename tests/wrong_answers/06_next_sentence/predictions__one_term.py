"""Takes ln 2 for the minimum of the popular loss, as if it had one term.

answer: predictions
caught by: test-predictions
message: pays for both answers at once
"""

predicted = {
    "no_news": 0.5,
    "rare_next": 0.5,
    "popular_minimum": math.log(2),
    "yes_sayer": -(math.log(0.9) + math.log(0.1)) / 2,
    "always_right": 0.8,
    "topic_if_swapped": 0.0,
}
