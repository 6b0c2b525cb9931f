"""What the process of a run is told."""

from __future__ import annotations

import json

from operator_lib.engine.process import ProcessSpec
from operator_lib.executors.folders import furnish
from operator_lib.executors.gpus import Taken
from operator_lib.executors.limits import allowance
from operator_lib.options import Options
from operator_lib.worker.applied import codecs, environment
from operator_lib.worker.places import Places
from operator_lib.worker.secrets import Secrets
from operator_lib.worker.store.base import RunRow, VersionRow
from operator_lib.worker.tracing import Tracing


async def run_spec(
    where: Places,
    secrets: Secrets,
    tracing: Tracing,
    row: RunRow,
    version: VersionRow,
    attempt: int,
    cards: Taken,
    inherited: dict[str, str],
) -> ProcessSpec:
    """What the process of one attempt of a run is told, its folder made and furnished."""
    options = Options.from_json(json.loads(version.options_json or "{}"))
    folder = where.attempt(row.id, attempt)
    furnish(folder, where.source(version.fingerprint))
    if row.input_inline is not None:
        source = where.input(row.id)
        source.write_bytes(row.input_inline)
    else:
        source = where.blob(row.input_ref)
    spec = ProcessSpec(
        kind="run",
        id=row.id,
        name=row.job,
        folder=str(folder),
        source=str(where.source(version.fingerprint)),
        entry=str(where.blob(version.entry_sha256)),
        events=str(where.events(row.id)),
        version=row.version,
        attempt=attempt,
        input=str(source),
        input_codecs=codecs(options),
        output_codec=options.output_encoder or "json",
        env=inherited | environment(options) | cards.environment,
        **allowance(options),
        **await secrets.values(version, options),
        timeout=options.timeout,
        place=cards.place,
        traceparent=tracing.run(row),
        sampling=tracing.sampling,
    )
    spec.write()
    return spec
