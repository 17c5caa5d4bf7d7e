"""A segment whose file is mapped and checked, and of which nothing else has been read.

It tells of its terms as they lie in the map. Whoever wants its postings as arrays asks for
``arrays``, which imports numpy; ``searchfeed.engines.whoosh.scalar`` reads them one by one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from searchfeed.engines.whoosh.columnar.container import VERSION, Container, OlderFileError
from searchfeed.engines.whoosh.columnar.dictionary import Dictionary
from searchfeed.engines.whoosh.columnar.keys import KeysReader
from searchfeed.engines.whoosh.columnar.layout import LARGEST, NO_FIELD

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.columnar.reader import SegmentReader

Bits: TypeAlias = "bytes | memoryview"
"""A bit for each document of a segment, the highest of a byte first; empty if none is set."""


class MappedSegment:
    """A segment of the index. Any thread may use it.

    Attributes:
        name: the segment's name, as Whoosh has it.
        container: its file.
        doc_count: how many document numbers there are.

    Raises:
        CorruptFileError: the file is damaged in a way that shows at once.
        IndexVersionError: it was written by a later release.
        OlderFileError: it was written by an earlier one.
    """

    def __init__(self, path: Path, deleted: Bits = b"") -> None:
        self.name = path.stem
        self.container = Container(path)
        if self.container.version != VERSION:
            raise OlderFileError(f"{path} was written by an earlier release")
        attributes = self.container.attributes
        self.doc_count: int = attributes.get("documents", -1)
        self._fields: dict[str, dict[str, Any]] = attributes.get("fields", {})
        self._columns: dict[str, dict[str, Any]] = attributes.get("columns", {})
        if type(self.doc_count) is not int or not 0 <= self.doc_count <= LARGEST:
            raise self.container.damaged("the number of its documents")
        if not _described(self._fields, tuple(NO_FIELD)) or not _described(
            self._columns, ("kind",)
        ):
            raise self.container.damaged("its fields and columns")
        self._deleted = deleted
        self._terms: dict[str, Dictionary] = {}
        self._keys: dict[tuple[str, str], KeysReader] = {}
        self._arrays: SegmentReader | None = None

    @property
    def deleted(self) -> Bits:
        """Which documents are there no more."""
        return self._deleted

    def with_deleted(self, deleted: Bits) -> MappedSegment:
        """The same segment with other deletions; it shares the map and what was read from it."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._deleted = deleted
        if self._arrays is not None:
            from searchfeed.engines.whoosh.columnar.snapshot import unpack_live

            other._arrays = self._arrays.with_live(unpack_live(deleted, self.doc_count))
        return other

    @property
    def arrays(self) -> SegmentReader:
        """The same segment, read as arrays."""
        if self._arrays is None:
            from searchfeed.engines.whoosh.columnar.reader import SegmentReader

            self._arrays = SegmentReader.of(self)
        return self._arrays

    def attributes(self, field: str) -> dict[str, Any]:
        """What the segment tells of a field, as in ``NO_FIELD``."""
        return self._fields.get(field) or {**NO_FIELD}

    def dictionary(self, field: str) -> Dictionary:
        """The terms of a field, in UTF-8; none of a field whose terms are made of a column."""
        found = self._terms.get(field)
        if found is None:
            found = self._terms[field] = Dictionary(self.container, field, "terms")
            if len(found) != self.attributes(field)["terms"]:
                raise self.container.damaged(f"the field {field}")
        return found

    def term_id(self, field: str, term: str) -> int:
        """The number of a term, or -1."""
        return self.dictionary(field).find(term.encode("utf-8", "surrogatepass"))

    def term(self, field: str, number: int) -> str:
        """The text of a term."""
        return self.dictionary(field)[number].decode()

    def terms(self, field: str, low: int = 0, high: int | None = None) -> list[str]:
        """The texts of the terms from ``low`` to ``high``."""
        return [word.decode() for word in self.dictionary(field)[low:high]]

    def term_count(self, field: str) -> int:
        """How many distinct terms a field has."""
        return len(self.dictionary(field))

    def term_range(self, field: str, prefix: str) -> tuple[int, int]:
        """The half-open range of numbers of the terms that start with ``prefix``."""
        return self.dictionary(field).prefixed(prefix.encode("utf-8", "surrogatepass"))

    def keys(self, field: str, name: str) -> KeysReader:
        """The second keys of a field of one name.

        Raises:
            KeyError: the segment was written without them.
        """
        if not self.has_key(field, name):
            raise KeyError(name)
        found = self._keys.get((field, name))
        if found is None:
            words = self.dictionary(field)
            found = KeysReader(self.container, field, f"keys.{name}", words)
            self._keys[field, name] = found
        return found

    def terms_by_key(self, field: str, name: str, key: str, *, prefix: bool = False) -> list[int]:
        """The numbers of the terms with this second key, or one that starts with it, ascending.

        Raises:
            KeyError: the segment was written without second keys of that name.
        """
        wanted = key.encode("utf-8", "surrogatepass")
        return self.keys(field, name).find(wanted, prefix=prefix)

    def has_key(self, field: str, name: str) -> bool:
        """Whether the terms of a field can be found by second keys of that name."""
        return name in self.attributes(field)["keys"]

    def numbers(self, column: str) -> memoryview:
        """A column of numbers; where a document has none stands the default of the column.

        Raises:
            KeyError: there is no such column.
        """
        if self._columns[column]["kind"] != "numbers":
            raise KeyError(column)
        values = self.container.section(column, "column")
        if len(values) != self.doc_count:
            raise self.container.damaged(f"the column {column}")
        return values

    def verify(self) -> None:
        """Read the whole file and check it; raises ``CorruptFileError``."""
        self.container.verify()


def _described(parts: object, wanted: tuple[str, ...]) -> bool:
    """Whether this is a table of fields or columns, each with what is wanted of it."""
    return isinstance(parts, dict) and all(
        isinstance(part, dict) and all(name in part for name in wanted) for part in parts.values()
    )
