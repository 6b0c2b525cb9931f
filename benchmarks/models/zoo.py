"""Every architecture that is looked at."""

from __future__ import annotations

from benchmarks.models import plain, senses, text
from benchmarks.models.specimen import Specimen


def specimens(only: list[str] | None = None) -> list[Specimen]:
    """All of them, or those named."""
    every = [*plain.specimens(), *text.specimens(), *senses.specimens()]
    unknown = set(only or ()) - {s.name for s in every}
    if unknown:
        raise SystemExit(f"no such model: {', '.join(sorted(unknown))}; there are: {', '.join(s.name for s in every)}")
    return [s for s in every if not only or s.name in only]


def load() -> None:
    """Import what the models need, once, before the processes are forked that use it."""
    import torch
    import torch.export
    import torch.fx
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    assert transformers.AutoConfig
    assert transformers.PreTrainedModel
