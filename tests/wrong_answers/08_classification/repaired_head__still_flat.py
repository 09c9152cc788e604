"""Keeps the flattening, with the length of the first example in the head.

answer: repaired-head
caught by: test-repaired-head
message: expected the parameters
"""


class RepairedHead(nn.Module):
    def __init__(self, hidden_size, labels):
        super().__init__()
        self.pooler = nn.Linear(7 * hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, labels)

    def forward(self, states):
        return self.output(torch.tanh(self.pooler(states.flatten(1))))
