import torch
import torch.nn as nn


class TransformerEncoderBlock(nn.Module):
    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=True)
        self.ff = nn.Sequential(
            nn.Linear(d_model, dim_feedforward),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(dim_feedforward, d_model),
        )
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, key_padding_mask=None):
        h = self.norm1(x)
        attn_out, _ = self.self_attn(h, h, h, key_padding_mask=key_padding_mask, need_weights=False)
        x = x + self.dropout(attn_out)
        x = x + self.dropout(self.ff(self.norm2(x)))
        return x


class TextClassifier(nn.Module):
    def __init__(self, vocab_size, d_model, num_classes, max_len, nhead=2, num_layers=1):
        super().__init__()
        self.embed = nn.Embedding(vocab_size, d_model, padding_idx=0)
        self.pos = nn.Parameter(torch.zeros(1, max_len, d_model))
        self.layers = nn.ModuleList([TransformerEncoderBlock(d_model, nhead, 4 * d_model) for _ in range(num_layers)])
        self.classifier = nn.Linear(d_model, num_classes)
        self.criterion = nn.CrossEntropyLoss(label_smoothing=0.1)

    def forward(self, input_ids, labels=None):
        mask = input_ids != 0
        x = self.embed(input_ids) + self.pos[:, : input_ids.size(1)]
        for layer in self.layers:
            x = layer(x, key_padding_mask=~mask)
        m = mask.unsqueeze(-1).float()
        pooled = (x * m).sum(dim=1) / m.sum(dim=1).clamp(min=1e-9)
        logits = self.classifier(pooled)
        loss = None
        if labels is not None:
            loss = self.criterion(logits, labels)
        return {"logits": logits, "loss": loss}


def example(g, batch=4, seq=5, vocab_size=9, d_model=6, num_classes=3, max_len=7):
    ids = torch.randint(1, vocab_size, (batch, seq), generator=g)
    ids[0, -2:] = 0
    ids[1, -1:] = 0
    return {"input_ids": ids, "labels": torch.randint(0, num_classes, (batch,), generator=g)}
