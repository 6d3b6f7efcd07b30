#!/usr/bin/env python3
"""Checks a whole model against PyTorch.

    pip install torch numpy safetensors pyyaml
    bin/longspan crosscheck --checkpoint RUN --data CORPUS --output batch.safetensors
    python jobs/crosscheck/crosscheck.py --checkpoint RUN --batch batch.safetensors

Reads a checkpoint and a batch, builds the same model here, naively and in float64, and compares the logits, the loss and the
gradient of every parameter by the relative norm of their difference. Exits with 1 where one is above the limit.
See docs/checkpoint.md.
"""

import argparse
import json
import math
import pathlib
import sys

import torch
import yaml
from safetensors import safe_open

EPSILON = 1e-6
ROTARY_BASE = 10000.0
ROWS_AT_ONCE = 512


def latest(folder):
    """The checkpoint at `folder`: itself, or a run's newest."""
    if (folder / "manifest.json").exists():
        return folder
    steps = sorted((folder / "checkpoints").glob("step-*"))
    if not steps:
        sys.exit(f"crosscheck: There is no checkpoint in {folder}; give a run's folder, or one of those in its checkpoints.")
    return steps[-1]


def tensors(path):
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name).double() for name in file.keys()}, file.metadata() or {}


def normalize(x, gain):
    """RMSNorm over the last dimension."""
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + EPSILON) * gain


def rotate(x):
    """Turns neighbouring pairs of [tokens, heads, width] by the position in the sequence; an odd last column stays."""
    tokens, _, width = x.shape
    pairs = width // 2
    frequencies = ROTARY_BASE ** (-2.0 * torch.arange(pairs, dtype=torch.float64) / width)
    angles = torch.arange(tokens, dtype=torch.float64)[:, None, None] * frequencies
    cosine, sine = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    even, odd = x[..., 0 : 2 * pairs : 2], x[..., 1 : 2 * pairs : 2]
    turned = torch.stack((even * cosine - odd * sine, odd * cosine + even * sine), -1).flatten(-2)
    return torch.cat((turned, x[..., 2 * pairs :]), -1)


def slopes(heads, layer, layers):
    """ALiBi's slopes, fading with the layer."""
    power = 1 << (heads.bit_length() - 1)
    geometric = [2.0 ** (-8.0 * h / power) for h in range(1, power + 1)]
    geometric += [2.0 ** (-8.0 * h / (2 * power)) for h in range(1, 2 * power, 2)][: heads - power]
    factor = 1.0 if layers == 1 else 1.0 - layer / (layers - 1) + 1e-5
    return [factor * slope for slope in geometric]


def relative(found, expected):
    difference = (found - expected).norm().item()
    norm = expected.norm().item()
    if norm == 0:
        # The gradient of a constant.
        return 0.0 if difference == 0 else math.inf
    error = difference / norm
    # A NaN must not pass for small.
    return error if error == error else math.inf


class Model:
    """The model as docs/checkpoint.md describes it, over one sequence."""

    def __init__(self, parameters, configuration, starts, tokens):
        self.parameters = parameters
        self.layers = configuration["layers"]
        self.heads = configuration["heads"]
        self.pattern = configuration["pattern"]
        self.window = configuration["window"]
        self.convolution = configuration["convolution"]
        self.latents = {key.removeprefix("latent."): value for key, value in configuration.items() if key.startswith("latent.")}
        self.mixers = {"lightning": self.lightning, "local": self.local, "latent": self.latent}
        for mixer in self.pattern:
            if mixer not in self.mixers:
                sys.exit(f"crosscheck: model.pattern has {mixer}; this script knows {', '.join(self.mixers)}.")
        self.position = torch.arange(tokens)
        self.start = starts[torch.searchsorted(starts, self.position, right=True) - 1]

    def of(self, block, name):
        return self.parameters[f"blocks.{block}.{name}"]

    def logits(self, tokens):
        x = self.parameters["embedding.weight"][tokens]
        for block in range(self.layers):
            if self.convolution:
                x = x + self.convolve(x, self.of(block, "convolution"))
            normalized = normalize(x, self.of(block, "mixer-norm"))
            mixer = self.pattern[block % len(self.pattern)]
            x = x + self.mixers[mixer](block, normalized)
            gate, value = (normalize(x, self.of(block, "feed-forward-norm")) @ self.of(block, "feed-forward.up")).chunk(2, -1)
            x = x + (torch.nn.functional.silu(gate) * value) @ self.of(block, "feed-forward.down")
        return normalize(x, self.parameters["head.norm"]) @ self.parameters["head.weight"]

    def convolve(self, x, taps):
        total = torch.zeros_like(x)
        for tap in range(taps.shape[0]):
            shifted = torch.cat((torch.zeros_like(x[:tap]), x[: x.shape[0] - tap]))
            inside = (self.position - tap >= self.start)[:, None]
            total = total + torch.where(inside, taps[tap] * shifted, torch.zeros_like(x))
        return total

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1))

    def scores(self, q, k, first):
        """Scores [heads, rows, tokens] of the rows from `first` on, how far back each token lies, and which ones a row may see."""
        rows = slice(first, min(first + ROWS_AT_ONCE, q.shape[0]))
        back = self.position[rows, None] - self.position[None, :]
        seen = (back >= 0) & (self.position[None, :] >= self.start[rows, None])
        return torch.einsum("rhd,shd->hrs", q[rows], k), back, seen

    def lightning(self, block, x):
        q, k, v, gate = (x @ self.of(block, "mixer.projection")).chunk(4, -1)
        q, k, v = (self.split(torch.nn.functional.silu(part)) for part in (q, k, v))
        slope = torch.tensor(slopes(self.heads, block, self.layers), dtype=x.dtype)[:, None, None]
        attended = []
        for first in range(0, x.shape[0], ROWS_AT_ONCE):
            scores, back, seen = self.scores(q, k, first)
            decay = torch.where(seen, torch.exp(-slope * back.clamp(min=0)), torch.zeros((), dtype=x.dtype))
            attended.append(torch.einsum("hrs,shd->rhd", scores * decay, v))
        normalized = normalize(torch.cat(attended), self.of(block, "mixer.norm")[0]).flatten(-2)
        return (normalized * torch.sigmoid(gate)) @ self.of(block, "mixer.output")

    def local(self, block, x):
        q, k, v = (self.split(part) for part in (x @ self.of(block, "mixer.projection")).chunk(3, -1))
        q, k = rotate(q) / math.sqrt(q.shape[-1]), rotate(k)
        return self.softmax(q, k, v, self.window).flatten(-2) @ self.of(block, "mixer.output")

    def latent(self, block, x):
        form, groups = self.latents["form"], self.latents["groups"]
        queries = x
        if self.latents["query-rank"]:
            queries = normalize(x @ self.of(block, "mixer.query-down"), self.of(block, "mixer.query-norm")[0])
        plain = self.split(queries @ self.of(block, "mixer.query-up"))
        q = torch.cat((plain, rotate(self.split(queries @ self.of(block, "mixer.query-rope")))), -1)
        q = q / math.sqrt(q.shape[-1])
        shared = rotate((x @ self.of(block, "mixer.key-rope"))[:, None]).expand(-1, self.heads, -1)
        latent = self.normalized_latent(block, x @ self.of(block, "mixer.latent-down"))
        total = 0.0
        for group in range(groups):
            # Each group's columns of the latent are rows of the weights of keys and values.
            rows = slice(group * latent.shape[-1] // groups, (group + 1) * latent.shape[-1] // groups)
            content = self.split(latent[:, rows] @ self.of(block, "mixer.key-up")[rows])
            if form == "tpla":
                content = content * self.of(block, "mixer.content-scale")[0, group]
            v = self.split(latent[:, rows] @ self.of(block, "mixer.value-up")[rows])
            total = total + self.softmax(q, torch.cat((content, shared), -1), v, x.shape[0])
        if form == "mlra":
            total = total / math.sqrt(groups)
        return total.flatten(-2) @ self.of(block, "mixer.output")

    def normalized_latent(self, block, latent):
        """Over the root of its mean square, or of what each group takes for that."""
        groups = latent.unflatten(-1, (self.latents["groups"], -1))
        squares = (groups * groups).sum(-1, keepdim=True)
        form = self.latents["form"]
        if form == "mlra":
            means = squares / groups.shape[-1]
        elif form == "tpla" and self.latents["norm"] == "local":
            # A constant.
            estimates = self.of(block, "mixer.norm-estimates")[0].detach()
            means = squares * estimates[:, None] / latent.shape[-1]
        else:
            means = squares.sum(-2, keepdim=True) / latent.shape[-1]
        return (groups / torch.sqrt(means + EPSILON)).flatten(-2) * self.of(block, "mixer.latent-norm")[0]

    def softmax(self, q, k, v, window):
        attended = []
        for first in range(0, q.shape[0], ROWS_AT_ONCE):
            scores, back, seen = self.scores(q, k, first)
            scores = scores.masked_fill(~(seen & (back < window)), -math.inf)
            attended.append(torch.einsum("hrs,shd->rhd", scores.softmax(-1), v))
        return torch.cat(attended)


def main():
    parser = argparse.ArgumentParser(description="Check a model's logits, loss and gradients against PyTorch in float64.")
    parser.add_argument("--checkpoint", required=True, type=pathlib.Path, help="a checkpoint, or a run's folder for its newest one")
    parser.add_argument("--batch", required=True, type=pathlib.Path, help="what bin/longspan crosscheck wrote")
    parser.add_argument("--limit", default=1e-5, type=float, help="highest relative error (default: %(default)s)")
    arguments = parser.parse_args()

    folder = latest(arguments.checkpoint)
    manifest = json.loads((folder / "manifest.json").read_text())
    parameters, _ = tensors(folder / "model.safetensors")
    batch, metadata = tensors(arguments.batch)
    if metadata.get("checkpoint_step") != str(manifest["step"]):
        sys.exit(f"crosscheck: {arguments.batch} is of step {metadata.get('checkpoint_step')}, {folder} is step {manifest['step']}.")

    tokens, starts = batch["tokens"].long(), batch["document_starts"].long()
    configuration = yaml.safe_load(manifest["configuration"])["model"]
    # The token after each, but none where the next one starts a document and none after the last.
    targets = torch.cat((tokens[1:], torch.tensor([-1])))
    targets[starts[starts > 0] - 1] = -1

    def outcome(dtype):
        own = {name: value.to(dtype, copy=True).requires_grad_() for name, value in parameters.items()}
        logits = Model(own, configuration, starts, len(tokens)).logits(tokens)
        loss = torch.nn.functional.cross_entropy(logits, targets, ignore_index=-1)
        loss.backward()
        found = {"logits": logits.detach()[batch["logit_positions"].long()], "loss": loss.detach().reshape(1)}
        # A constant has none.
        found.update({f"gradient.{name}": torch.zeros_like(value) if value.grad is None else value.grad for name, value in own.items()})
        return {name: value.double() for name, value in found.items()}

    expected = outcome(torch.float64)
    missing = {name for name in batch if name.startswith("gradient.")} ^ {name for name in expected if name.startswith("gradient.")}
    if missing or not torch.equal(batch["targets"].long(), targets):
        sys.exit(f"crosscheck: the batch and the checkpoint do not belong together: {', '.join(sorted(missing)) or 'other targets'}.")

    single = metadata["precision"] == "float"
    rounded = outcome(torch.float32) if single else {}
    print(f"{len(tokens)} tokens in {len(starts)} documents; Longspan in {metadata['precision']}, ranks: {metadata['ranks']},"
          f" kernel: {metadata['kernel']}; PyTorch {torch.__version__} in float64")
    print(f"loss {batch['loss'].item():.9f} and {expected['loss'].item():.9f} nats")
    print("relative error" + (", and that of PyTorch in float32" if single else ""))
    worst = 0.0
    for name, value in expected.items():
        if batch[name].shape != value.shape:
            sys.exit(f"crosscheck: {name} has the shape {list(batch[name].shape)}, not {list(value.shape)}.")
        error = relative(batch[name], value)
        worst = max(worst, error)
        beside = f"  {relative(rounded[name], value):.2e}" if single else ""
        print(f"{error:.2e}{beside}  {name} {list(value.shape)}" + ("" if error <= arguments.limit else "  TOO LARGE"))
    passed = worst <= arguments.limit
    print(f"{'agrees' if passed else 'DISAGREES'}: the largest relative error of {len(expected)} tensors is {worst:.2e},"
          f" the limit {arguments.limit:.0e}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
