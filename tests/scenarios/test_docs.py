"""Documents say what is so: generated parts are fresh, links lead on, no layer is missing."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from server_process import ROOT, binary

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/README.md")])
pytestmark = pytest.mark.tarn_only


def test_the_table_of_configuration_keys_is_the_binarys() -> None:
    done = subprocess.run(
        [str(ROOT / "tools" / "update-docs"), "--check"],
        env=os.environ | {"TARN_BINARY": str(binary())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(document: Path) -> None:
    targets = [target for target in LINK.findall(document.read_text()) if ":" not in target]
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert not missing


def test_every_metric_an_operator_may_meet_is_documented() -> None:
    documented = (ROOT / "docs" / "operating" / "monitoring.md").read_text()
    found: set[str] = set()
    for source in (ROOT / "src").rglob("*.cc"):
        if not source.name.endswith("_test.cc"):
            found |= set(re.findall(r'"(tarn_[a-z0-9]+_[a-z0-9_]+)"', source.read_text()))
    assert found
    assert [name for name in sorted(found) if f"`{name}`" not in documented] == []


def test_every_layer_is_on_the_map_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    layers = [path.parent.name for path in (ROOT / "src").glob("*/CMakeLists.txt")]
    assert [layer for layer in layers if f"`{layer}`" not in readme] == []
