"""The index as flat arrays: its file format, its reader, and Whoosh's codec over them.

``open_snapshot`` and ``open_segments`` read an index without importing Whoosh. ``writer`` has the
bulk way in, ``codec`` what Whoosh itself needs to read and write the same files.
"""

from searchfeed.engines.whoosh.columnar.container import CorruptFileError
from searchfeed.engines.whoosh.columnar.snapshot import Snapshot, open_segments, open_snapshot

__all__ = ("CorruptFileError", "Snapshot", "open_segments", "open_snapshot")
