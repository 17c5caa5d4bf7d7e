"""A process that builds segments for another one, which starts it in ``building``."""

from __future__ import annotations

import json
import pickle
from itertools import count
from pathlib import Path

from searchfeed.engines.whoosh.building import Setting, unpack_changes
from searchfeed.engines.whoosh.columnar.builder import SegmentBuilder
from searchfeed.engines.whoosh.columnar.layout import EXTENSION
from searchfeed.engines.whoosh.columnar.writer import make_builder
from searchfeed.engines.whoosh.schema import (
    FROM_COLUMNS,
    Keys,
    analyze,
    derive,
    make_schema,
    to_documents,
)
from searchfeed.processes import Service, serve


def work(service: Service) -> None:
    """Build segments of the changes that come, until an empty message asks for their paths."""
    packed = service.receive()
    if packed is None:
        return
    paths: list[Path] = []
    handed_over = False
    try:
        handed_over = _build(service, pickle.loads(packed), paths)  # noqa: S301
    except Exception as error:  # noqa: BLE001 - it is for the other process to raise
        service.send(json.dumps(f"{type(error).__name__}: {error}").encode())
    finally:
        if not handed_over:
            for path in paths:
                path.unlink(missing_ok=True)


def _build(service: Service, setting: Setting, paths: list[Path]) -> bool:
    """Whether the other process has the paths; all that were written are in ``paths``."""
    keys, schema, numbers = Keys(setting.languages), make_schema(), count()

    def start() -> SegmentBuilder:
        return make_builder(schema, keys, analyze, derive, FROM_COLUMNS)

    builder = start()

    def write() -> None:
        path = Path(f"{setting.path}{next(numbers)}{EXTENSION}")
        builder.write(path)
        paths.append(path)

    while packed := service.receive():
        changes = list(unpack_changes(packed))
        for change in changes:
            keys.add_language_of(change.entry)
        builder.extend(to_documents(changes))
        if builder.size > setting.memory:
            write()
            builder = start()
    if packed is None:
        return False
    if builder.doc_count:
        write()
    service.send(json.dumps(list(map(str, paths))).encode())
    return True


def warm_up() -> None:
    """Nothing has to be loaded that is not loaded above."""


if __name__ == "__main__":
    serve(work, warm_up)
