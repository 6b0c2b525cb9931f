"""`timed`: measures a method where the model's configuration asks for it."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any


def timed(function: Callable[..., Any]) -> Callable[..., Any]:
    """With ``handler: {profile: true}`` in the configuration, its time is a metric of the run."""

    @functools.wraps(function)
    def measured(self: Any, *args: Any, **kwargs: Any) -> Any:
        config: Any = getattr(self.context, "model_yaml_config", None) or {}
        if not (config.get("handler") or {}).get("profile"):
            return function(self, *args, **kwargs)
        started = time.perf_counter()
        result = function(self, *args, **kwargs)
        self.context.metrics.add_time(f"ts_handler_{function.__name__}", (time.perf_counter() - started) * 1000)
        return result

    return measured
