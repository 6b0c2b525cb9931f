"""What a handler may know and say: the ``context`` that it is given, with the names of TorchServe 0.12."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# What handlers read there; some of them tell releases apart by it.
SERVER_VERSION = "0.12.0"


@dataclass(slots=True)
class Reply:
    """What a handler said about one answer besides its value."""

    status: int = 200
    phrase: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Request:
    """One request of a batch, as a handler sees it."""

    def __init__(self, headers: Mapping[str, Any]) -> None:
        self.headers = dict(headers)
        self.reply = Reply()

    def get_request_property(self, key: str) -> Any:
        return self.headers.get(key)

    def get_request_properties(self) -> dict[str, Any]:
        return self.headers

    def report_status(self, code: int, reason_phrase: str | None = None) -> None:
        self.reply.status, self.reply.phrase = code, reason_phrase or ""

    def get_response_status_code(self) -> int:
        return self.reply.status

    def get_response_status_phrase(self) -> str:
        return self.reply.phrase

    def add_response_property(self, key: str, value: str) -> None:
        self.reply.headers[key] = value

    def get_response_headers(self) -> dict[str, str]:
        return self.reply.headers

    def get_response_header(self, key: str) -> str | None:
        return self.reply.headers.get(key)


# Hears of a metric: its kind, name and value.
Tell = Callable[[str, str, float], object]


def tell(kind: str, name: str, value: float) -> None:
    """A metric of the run that the call is part of."""
    from operator_lib.context import RequestContext

    metrics = RequestContext.get().metrics
    (metrics.timer if kind == "timer" else metrics.counter)(name, value)


class HandlerContext:
    """One for each worker of a node: what is known of it stays, the requests change from batch to batch."""

    def __init__(
        self,
        name: str,
        folder: str,
        manifest: dict[str, Any] | None,
        batch_size: int,
        gpu: int | None,
        config: Any,
        tell: Tell | None = None,
    ) -> None:
        self.model_name = name
        self.manifest = manifest
        self.model_yaml_config = config if config is not None else {}
        self.system_properties: dict[str, Any] = {
            "model_dir": folder,
            "gpu_id": gpu,
            "batch_size": batch_size,
            "server_name": "MMS",
            "server_version": SERVER_VERSION,
            "limit_max_image_pixels": True,
        }
        self.metrics = Metrics(tell)
        self._request_ids: dict[int, str] | None = None
        self.request_processor: list[Request] = []
        self.stopping_criteria = None

    def begin(self, headers: Sequence[Mapping[str, Any]]) -> None:
        """A batch with these headers of its requests."""
        self.request_processor = [Request(given) for given in headers]
        self._request_ids = None

    @property
    def request_ids(self) -> dict[int, str] | None:
        """By index in the batch, made when somebody asks; None while a handler is being loaded."""
        if self._request_ids is None and self.request_processor:
            self._request_ids = {index: str(uuid.uuid4()) for index in range(len(self.request_processor))}
        return self._request_ids

    def get_request_id(self, idx: int = 0) -> str | None:
        return None if self.request_ids is None else self.request_ids.get(idx)

    def get_request_header(self, idx: int, key: str) -> Any:
        return self.request_processor[idx].get_request_property(key)

    def get_all_request_header(self, idx: int) -> dict[str, Any]:
        return self.request_processor[idx].get_request_properties()

    def get_sequence_id(self, idx: int) -> Any:
        return self.get_request_header(idx, "ts_request_sequence_id")

    def set_response_content_type(self, idx: int, value: str) -> None:
        self.set_response_header(idx, "content-type", value)

    def get_response_content_type(self, idx: int) -> str | None:
        return self.get_response_headers(idx).get("content-type")

    def get_response_status(self, idx: int) -> tuple[int, str]:
        reply = self.request_processor[idx].reply
        return reply.status, reply.phrase

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        if idx < len(self.request_processor):  # there are none while a handler is being loaded
            self.request_processor[idx].report_status(code, phrase)

    def set_all_response_status(self, code: int = 200, phrase: str = "") -> None:
        for request in self.request_processor:
            request.report_status(code, phrase)

    def get_response_headers(self, idx: int) -> dict[str, str]:
        return self.request_processor[idx].get_response_headers()

    def set_response_header(self, idx: int, key: str, value: str) -> None:
        self.request_processor[idx].add_response_property(key, value)


class Metrics:
    """Counts and measurements of handlers."""

    def __init__(self, to: Tell | None = None) -> None:
        self._tell = to or tell

    def add_counter(self, metric_name: str, value: float, *_: Any, **__: Any) -> None:
        self._tell("counter", metric_name, value)

    def add_time(self, metric_name: str, value: float, idx: Any = None, unit: str = "ms", *_: Any, **__: Any) -> None:
        self._tell("timer", metric_name, value if unit == "s" else value / 1000)

    add_size = add_percent = add_error = add_counter

    def add_metric_to_cache(self, metric_name: str, unit: str = "count", *_: Any, **__: Any) -> Metric:
        return Metric(metric_name, unit, self._tell)

    add_metric = get_metric = add_metric_to_cache


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric with a name of its own."""

    name: str
    unit: str
    tell: Tell

    def add_or_update(self, value: float, *_: Any, **__: Any) -> None:
        self.tell("counter", self.name, value)

    update = add_or_update
