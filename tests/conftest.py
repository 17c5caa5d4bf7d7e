"""What tests of several modules share."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The feeds that every checkout has."""
    return ROOT / "fixtures"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real feeds of other people, which lie beside the checkout of a developer and of CI."""
    path = ROOT.parent / "shared"
    if not (path / "feeds").is_dir():
        pytest.skip("real feeds are not here: they are not ours to copy (expected in ../shared)")
    return path
