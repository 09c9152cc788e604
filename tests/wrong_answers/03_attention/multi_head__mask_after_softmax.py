"""Strikes masked weights out after the softmax, so that rows no longer sum to 1.

answer: multi-head
caught by: test-multi-head
message: before the softmax
"""


class MyAttention(nn.Module):
    """Multi-head attention: project all, split, attend, join, mix."""

    def __init__(self, hidden_size, heads):
        super().__init__()
        self.heads, self.size = heads, hidden_size // heads
        self.query, self.key, self.value, self.output = (nn.Linear(hidden_size, hidden_size) for _ in range(4))

    def forward(self, x, mask=None):
        """(B, S, E) to (B, S, E); `mask` (B, 1, 1, S), True = may be heard."""
        batch, length, hidden_size = x.shape
        query, key, value = (
            project(x).view(batch, length, self.heads, self.size).transpose(1, 2)  # (B, H, S, D)
            for project in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(-2, -1) / math.sqrt(self.size)  # (B, H, S, S)
        weights = scores.softmax(dim=-1)
        if mask is not None:
            weights = weights * mask
        mixed = weights @ value  # (B, H, S, D)
        return self.output(mixed.transpose(1, 2).reshape(batch, length, hidden_size))
