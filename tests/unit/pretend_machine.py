"""A machine with a pretend helm and Go, a registry and a module proxy that answer as the test says, and a cache of its own."""

import io
import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from rehearsal.parts import parts
from rehearsal.parts.standins import charts as standins
from rehearsal.parts.toolchain import Origin, Tool, Toolchain
from rehearsal.report import PlainReport
from stacks.blueprint import ServingBlueprint
from stacks.rules.facts import serving_blueprint
from tests.blueprints import read

GAIE = "sigs.k8s.io/gateway-api-inference-extension"
SAID = f"Go module {GAIE} v1.5.0"

# Each call is written down as JSON: [arguments, directory]. What it does is in the files the tests leave beside it.
HELM = """#!{python}
import json, os, sys
from pathlib import Path
here, arguments = Path(__file__).parent, sys.argv[1:]
with open(here / "helm.calls", "a") as calls:
    print(json.dumps(arguments), file=calls)
def after(option): return arguments[arguments.index(option) + 1]
if arguments[0] == "pull":
    if not (here / "registry").exists():
        print("WARNING: x", file=sys.stderr)
        sys.exit("Error: no such host")
    name = arguments[1].rpartition("/")[2] + "-" + after("--version") + ".tgz"
    Path(after("--destination"), name).write_text("of the registry")
elif arguments[0] == "dependency":
    (Path(arguments[2]) / "charts").mkdir()  # as helm does: it writes into the chart's directory
elif arguments[0] == "package":
    chart = Path(arguments[1])
    if (chart / "broken").exists():
        sys.exit("Error: Chart.yaml file is missing")
    version = after("--version") if "--version" in arguments else "v0"
    made = Path(after("--destination"), chart.name + "-" + version + ".tgz")
    made.write_text(" ".join(sorted(path.name for path in chart.parent.rglob("*"))))
    print("Successfully packaged chart and saved it to:", made)
"""
GO = """#!{python}
import json, os, sys
from pathlib import Path
here, arguments = Path(__file__).parent, sys.argv[1:]
if arguments[0] == "env":
    print("go1.26.8")
    sys.exit()
with open(here / "go.calls", "a") as calls:
    print(json.dumps([arguments, os.getcwd()]), file=calls)
module = here / "modules" / arguments[-1]
if (here / "tampered").exists():
    print("verifying x@v1: checksum mismatch\\n\\tdownloaded: h1:a\\n\\tgo.sum: h1:b", file=sys.stderr)
    sys.exit(1)
if not module.exists():
    print(json.dumps({{"Path": arguments[-1], "Error": "connection refused"}}))
    sys.exit(1)
print(json.dumps({{"Path": arguments[-1], "Dir": str(module)}}))
"""


class Machine:
    """A machine with a cache, a helm, a Go, a registry and a module proxy, each as the test makes it."""

    def __init__(self, directory: Path) -> None:
        self.bin = directory / "bin"
        self.cache = directory / "cache"
        self.workdir = directory / "rehearsal"
        self.standins = directory / "standins"
        self.bin.mkdir()
        self.program("helm", HELM)
        self.program("go", GO)
        self.out = io.StringIO()
        self.report = PlainReport(self.out)

    def program(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(script.format(python=sys.executable))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    @property
    def toolchain(self) -> Toolchain:
        return {"helm": Tool("helm", self.bin / "helm", "3.21.4", Origin.PATH)}

    def registry_answers(self) -> None:
        (self.bin / "registry").touch()

    def module(self, name: str, files: dict[str, bytes]) -> Path:
        """A module the proxy has, as Go keeps it: nothing can be written."""
        place = self.bin / "modules" / name
        for path, content in files.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(content)
        for path in sorted(place.rglob("*"), reverse=True):
            path.chmod(0o555 if path.is_dir() else 0o444)
        return place

    def chart_module(self) -> None:
        files = ("standalone/Chart.yaml", "inferencepool/Chart.yaml", "epplib/Chart.yaml", "epplib/templates/_x.tpl")
        self.module(GAIE, {f"config/charts/{file}": b"x" for file in files})

    def calls(self, program: str) -> list[Any]:
        log = self.bin / f"{program}.calls"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def chart(self, **router: Any) -> parts.Substitution:
        return parts.router_chart(planned(**router), self.toolchain, self.workdir, self.report)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(made.bin))
    monkeypatch.setenv("LLMD_PD_CACHE", str(made.cache))
    monkeypatch.delenv("LLMD_PD_OFFLINE", raising=False)
    monkeypatch.setattr(standins, "CHARTS", made.standins)
    return made


def planned(*, crds: dict[str, Any] | None = None, **router: Any) -> ServingBlueprint:
    found, spec = read({"serving": {"accelerator": "nvidia"}, "router": router, "crds": crds or {}})
    assert found == []
    assert spec is not None
    return serving_blueprint(spec, Path("/project"))
