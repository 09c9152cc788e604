"""Drops from the sum, residual included: in evaluation nobody sees it.

answer: layer
caught by: test-layer
message: dropout belongs on what is added
"""


class Layer(nn.Module):
    def __init__(self, width, heads, inner, dropout=0.1):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
        self.widen = nn.Linear(width, inner)
        self.narrow = nn.Linear(inner, width)
        self.norm_1 = nn.LayerNorm(width, eps=1e-12)
        self.norm_2 = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, padding=None):
        h = self.norm_1(self.dropout(x + self.attention(x, x, x, key_padding_mask=padding)[0]))
        return self.norm_2(self.dropout(h + self.narrow(F.gelu(self.widen(h)))))
