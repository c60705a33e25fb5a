import torch
from torch import nn
from torch.nn import functional as F


class VectorQuantizer(nn.Module):
    """The codebook of a VQ-VAE, with a straight-through estimator."""

    def __init__(self, num_embeddings, embedding_dim, commitment_cost=0.25):
        super().__init__()
        self._embedding = nn.Embedding(num_embeddings, embedding_dim)
        self._embedding.weight.data.uniform_(-1 / num_embeddings, 1 / num_embeddings)
        self._num_embeddings = num_embeddings
        self._commitment_cost = commitment_cost

    def forward(self, inputs):
        flat_input = inputs.view(-1, inputs.shape[-1])
        distances = (
            torch.sum(flat_input**2, dim=1, keepdim=True)
            + torch.sum(self._embedding.weight**2, dim=1)
            - 2 * torch.matmul(flat_input, self._embedding.weight.t())
        )
        encoding_indices = torch.argmin(distances, dim=1).unsqueeze(1)
        encodings = torch.zeros(encoding_indices.shape[0], self._num_embeddings, device=inputs.device)
        encodings.scatter_(1, encoding_indices, 1)
        quantized = torch.matmul(encodings, self._embedding.weight).view(inputs.shape)
        e_latent_loss = F.mse_loss(quantized.detach(), inputs)
        q_latent_loss = F.mse_loss(quantized, inputs.detach())
        loss = q_latent_loss + self._commitment_cost * e_latent_loss
        quantized = inputs + (quantized - inputs).detach()
        return loss, quantized


class VQ(nn.Module):
    def __init__(self, features, num_embeddings, embedding_dim):
        super().__init__()
        self.encoder = nn.Linear(features, embedding_dim)
        self.vq = VectorQuantizer(num_embeddings, embedding_dim)
        self.decoder = nn.Linear(embedding_dim, features)

    def forward(self, x):
        z = self.encoder(x)
        vq_loss, quantized = self.vq(z)
        x_recon = self.decoder(quantized)
        recon_error = F.mse_loss(x_recon, x)
        return recon_error + vq_loss


def example(g, n=6, features=5, num_embeddings=4, embedding_dim=3):
    return torch.randn(n, features, generator=g)
