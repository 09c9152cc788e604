"""Draws the order from the global generator, seeded once: a resumed stream shuffles its first epoch anew.

answer: stream
caught by: test-stream
message: the order of every epoch must follow from the seed and the epoch alone
"""


class ShuffledStream:
    def __init__(self, items, batch_size, seed):
        self.items, self.batch_size, self.seed = items, batch_size, seed
        self.epoch, self.batch = 0, 0

        torch.manual_seed(seed)
        self.order = torch.randperm(len(items)).tolist()

    def __next__(self):
        if (self.batch + 1) * self.batch_size > len(self.items):
            self.epoch, self.batch = self.epoch + 1, 0
            self.order = torch.randperm(len(self.items)).tolist()
        begin = self.batch * self.batch_size
        self.batch += 1
        return [self.items[i] for i in self.order[begin : begin + self.batch_size]]

    def state_dict(self):
        return {"epoch": self.epoch, "batch": self.batch}

    def load_state_dict(self, state):
        self.epoch, self.batch = state["epoch"], state["batch"]
