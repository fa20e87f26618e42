"""The peer: the guide's own commands, with the files, chart and values that our stack would apply.

The order is the guide's: CRDs, namespace, router, model servers, monitoring. The guide does not wait for anything; we do,
so the peer has to as well. It may do so `patiently`, where a reader would look before going on, or only at the end.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from rehearsal.session import CHECKOUT
from stacks.blueprint import ServingBlueprint
from stacks.file.load import load
from stacks.rules.facts import serving_blueprint
from tests.speed.commands import binary, run

#: Seconds given to any wait: pods of the fleet are Ready at once.
WAIT = "300s"


@dataclass(frozen=True)
class Guide:
    """The guide on the fleet that `env` leads to. Its files are written once, untimed."""

    plan: ServingBlueprint
    files: Path
    env: Mapping[str, str]

    @classmethod
    def of(cls, stack_file: Path, files: Path, env: Mapping[str, str]) -> "Guide":
        """From the stack file that is rehearsed, with whatever parts it names."""
        planned = serving_blueprint(load(stack_file).spec, CHECKOUT)
        files.mkdir()
        for name, objects in {
            "crds": planned.crds(),
            "model-server": planned.model_server,
            "monitoring": planned.monitoring,
            "values": [planned.router.values],
        }.items():
            (files / f"{name}.yaml").write_text(yaml.safe_dump_all(objects, sort_keys=False))
        return cls(planned, files, env)

    def patiently(self) -> None:
        """Each step is waited for before the next is taken."""
        self._prepare()
        self._router("--wait", f"--timeout={WAIT}")
        self._model_servers()
        self._wait(*self._deployments())

    def at_once(self) -> None:
        """Everything is applied, then waited for: the most that a script of these commands can do."""
        self._prepare()
        self._router()
        self._model_servers()
        self._wait(*self._deployments(), f"{self.plan.router.name}-epp")

    def clear(self) -> None:
        """Removes all objects of any owner, CRDs included; returns when they are gone."""
        found = self._helm("list", "--all", "--short", "--filter", f"^{self.plan.router.name}$")
        if found.strip():
            self._helm("uninstall", self.plan.router.name, "--wait")
        self._kubectl("delete", "namespace", self.plan.spec.namespace, "--ignore-not-found", "--wait")
        self._kubectl("delete", "--filename", str(self.files / "crds.yaml"), "--ignore-not-found", "--wait")
        # Discovery would otherwise be warm for one side only, and wrong about the CRDs that are gone.
        for cache in (self.env["KUBECACHEDIR"], self.env["HELM_CACHE_HOME"]):
            shutil.rmtree(cache, ignore_errors=True)

    def _prepare(self) -> None:
        self._kubectl("apply", "--filename", str(self.files / "crds.yaml"))
        established = ("--for=condition=Established", f"--timeout={WAIT}")
        self._kubectl("wait", *established, "--filename", str(self.files / "crds.yaml"))
        self._kubectl("create", "namespace", self.plan.spec.namespace)

    def _router(self, *waiting: str) -> None:
        router = self.plan.router
        version = ["--version", router.version] if router.version else []
        values = ["--values", str(self.files / "values.yaml")]
        self._helm("upgrade", "--install", router.name, router.chart, *version, *values, "--skip-crds", *waiting)

    def _model_servers(self) -> None:
        self._kubectl("apply", *self._placed, "--filename", str(self.files / "model-server.yaml"))
        if self.plan.monitoring:
            self._kubectl("apply", *self._placed, "--filename", str(self.files / "monitoring.yaml"))

    def _deployments(self) -> list[str]:
        return [obj["metadata"]["name"] for obj in self.plan.model_server if obj["kind"] == "Deployment"]

    def _wait(self, *deployments: str) -> None:
        for name in deployments:
            self._kubectl("rollout", "status", *self._placed, f"--timeout={WAIT}", f"deployment/{name}")

    @property
    def _placed(self) -> tuple[str, str]:
        return "--namespace", self.plan.spec.namespace

    def _kubectl(self, *arguments: str) -> str:
        return run([binary("kubectl", self.env), *arguments], self.env)

    def _helm(self, *arguments: str) -> str:
        return run([binary("helm", self.env), *arguments, *self._placed], self.env)
