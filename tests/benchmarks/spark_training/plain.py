"""PyTorch alone, or under torchrun: all rows in memory, shuffled by index; prints samples/s.

What a careful user writes by hand: tensors in memory, no loader, one thread a process, DDP where
there are several. A process has its own part of the rows.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet
import torch
from network import BATCH, FEATURES, LR, Scores
from torch import distributed, nn


def main(path: Path, epochs: int) -> None:
    ranks, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    torch.set_num_threads(1)
    x, y = rows(path, rank, ranks)
    model: nn.Module = Scores()
    if ranks > 1:
        distributed.init_process_group("gloo")
        model = nn.parallel.DistributedDataParallel(model, gradient_as_bucket_view=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=0.0)
    judge = nn.BCEWithLogitsLoss()
    steps = len(x) // BATCH
    seconds = []
    for _ in range(epochs):
        started = time.perf_counter()
        total = torch.zeros(())
        for index in torch.randperm(len(x))[: steps * BATCH].split(BATCH):
            optimizer.zero_grad(set_to_none=True)
            loss = judge(model(x[index]).squeeze(1), y[index])
            loss.backward()
            optimizer.step()
            total += loss.detach()
        float(total)
        seconds.append(time.perf_counter() - started)
    if rank == 0:
        print(json.dumps({"samples": steps * BATCH * ranks, "seconds": seconds}))


def rows(path: Path, rank: int, ranks: int) -> tuple[torch.Tensor, torch.Tensor]:
    table = pyarrow.parquet.read_table(path)
    count = len(table) // ranks
    part = table.slice(rank * count, count).combine_chunks()
    x = part["x"].combine_chunks().flatten().to_numpy().reshape(-1, FEATURES)
    return torch.from_numpy(x.copy()), torch.from_numpy(part["y"].to_numpy().astype(np.float32))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
