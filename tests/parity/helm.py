"""The helm binary, when there is one: on PATH, or built or downloaded by a rehearsal before."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.parts.toolchain import at_hand


def helm() -> Path:
    """The binary; skips the test, with the reason, where there is none."""
    found = at_hand("helm")
    if found is None:
        pytest.skip("no helm at hand (`make setup` gets one)")
    return found.path


def template(
    binary: Path, chart: Path, *trees: dict[str, Any], release: str, namespace: str, directory: Path
) -> list[dict[str, Any]]:
    """Returns the output of `helm template` for a chart with these value trees, each passed as a `-f` file of its own."""
    files = []
    for number, tree in enumerate(trees):
        path = directory / f"values-{number}.yaml"
        path.write_text(yaml.safe_dump(tree))
        files += ["-f", str(path)]
    command = [str(binary), "template", release, str(chart), "--namespace", namespace, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]
