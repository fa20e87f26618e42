"""A pretend cloud as a plugin. The environment names its file, its cluster and the fault to play (`rehearsal.clouds`)."""

import os
from collections.abc import Mapping
from pathlib import Path

from rehearsal.clouds import CLOUD, ENDPOINT, FAULT, FLEET
from rehearsal.clouds.lifecycle import PretendResources
from rehearsal.clouds.pretend import PretendKinds, World, path_of
from rehearsal.clouds.store import Cloud
from rehearsal.plugins.plugin import Engine, Failure
from rehearsal.plugins.provider import Lifecycle, Provider, Resource, not_offered
from stacks.kube.api import Api, KubeconfigError


class PretendProvider(Provider):
    """A provider of the program, for the kinds of one cloud's table. It ignores credentials."""

    def __init__(
        self, table: PretendKinds, version: str, engine: Engine, environment: Mapping[str, str] = os.environ
    ) -> None:
        super().__init__(version, engine)
        self.package = table.package
        self._table = table
        self._environment = environment
        self._project = ""
        self._fleet: Api | None = None

    def configure(self, variables: Mapping[str, str]) -> None:
        self._project = variables.get("project", "")

    def lifecycle(self, resource: Resource) -> Lifecycle:
        path = path_of(resource.type)
        if path not in self._table.kinds:
            raise not_offered(resource.type, self.package)
        return PretendResources(self._table, path, self._world())

    def _world(self) -> World:
        where = self._environment.get(CLOUD)
        if not where:
            raise Failure(f"the pretend cloud has no file: set {CLOUD} to its path")
        kubeconfig = self._environment.get(FLEET)
        if kubeconfig and self._fleet is None:
            try:
                self._fleet = Api(kubeconfig, None)
            except KubeconfigError as error:
                raise Failure(f"the fleet of {FLEET} cannot be reached: {error}") from None
        return World(
            Cloud(Path(where)),
            self._project,
            self._fleet,
            self._environment.get(FAULT),
            self.cancelled.wait,
            self._environment.get(ENDPOINT, ""),
        )
