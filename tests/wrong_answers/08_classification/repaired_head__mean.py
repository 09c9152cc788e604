"""Takes the mean of all states: any length fits, and the padding still has a say.

answer: repaired-head
caught by: test-repaired-head
message: tanh of the pooler on [CLS], then the head
"""


class RepairedHead(nn.Module):
    def __init__(self, hidden_size, labels):
        super().__init__()
        self.pooler = nn.Linear(hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, labels)

    def forward(self, states):
        return self.output(torch.tanh(self.pooler(states.mean(1))))
