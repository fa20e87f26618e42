"""The pretend GKE as a plugin. The environment names its file, its cluster and the fault to play (`rehearsal.clouds`)."""

import os
from collections.abc import Mapping
from pathlib import Path

from rehearsal.clouds import CLOUD, ENDPOINT, FAULT, FLEET
from rehearsal.clouds.gke.kinds import KINDS, path_of
from rehearsal.clouds.gke.lifecycle import CloudResources, World
from rehearsal.clouds.gke.nodes import Fleet
from rehearsal.clouds.store import Cloud
from rehearsal.plugins.plugin import Engine, Failure
from rehearsal.plugins.provider import Lifecycle, Provider, Resource, not_offered
from stacks.kube.api import Api, KubeconfigError


class GcpProvider(Provider):
    """A provider of the program, with its project."""

    package = "gcp"

    def __init__(self, version: str, engine: Engine, environment: Mapping[str, str] = os.environ) -> None:
        super().__init__(version, engine)
        self._environment = environment
        self._project = ""
        self._fleet: Fleet | None = None

    def configure(self, variables: Mapping[str, str]) -> None:
        self._project = variables.get("project", "")

    def lifecycle(self, resource: Resource) -> Lifecycle:
        path = path_of(resource.type)
        if path not in KINDS:
            raise not_offered(resource.type, self.package)
        return CloudResources(path, self._world())

    def _world(self) -> World:
        where = self._environment.get(CLOUD)
        if not where:
            raise Failure(f"the pretend cloud has no file: set {CLOUD} to its path")
        kubeconfig = self._environment.get(FLEET)
        if kubeconfig and self._fleet is None:
            try:
                self._fleet = Fleet(Api(kubeconfig, None))
            except KubeconfigError as error:
                raise Failure(f"the fleet of {FLEET} cannot be reached: {error}") from None
        fault = self._environment.get(FAULT)
        return World(
            Cloud(Path(where)),
            self._project,
            self._fleet,
            fault,
            self.cancelled.wait,
            self._environment.get(ENDPOINT, ""),
        )
