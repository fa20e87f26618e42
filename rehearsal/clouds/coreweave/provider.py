"""The pretend cloud as a plugin. The environment names its file and its cluster (`rehearsal.clouds`)."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from rehearsal.clouds import CLOUD, ENDPOINT, FLEET
from rehearsal.clouds.coreweave.lifecycle import NOUNS, CoreWeaveResources, World
from rehearsal.clouds.store import Cloud
from rehearsal.plugins.plugin import Engine, Failure
from rehearsal.plugins.provider import Lifecycle, Provider, Resource, not_offered
from stacks.clouds.coreweave.pools import API
from stacks.kube.api import Api, KubeconfigError


class CoreWeaveProvider(Provider):
    """A provider of the program. It needs no token and ignores one."""

    package = "coreweave"

    def __init__(self, version: str, engine: Engine, environment: Mapping[str, str] = os.environ) -> None:
        super().__init__(version, engine)
        self._environment = environment

    def lifecycle(self, resource: Resource) -> Lifecycle:
        kind = resource.type.rpartition(":")[2]
        if kind not in NOUNS:
            raise not_offered(resource.type, self.package)
        where = self._environment.get(CLOUD)
        if not where:
            raise Failure(f"the pretend cloud has no file: set {CLOUD} to its path")
        return CoreWeaveResources(
            kind, World(Cloud(Path(where)), self._environment.get(ENDPOINT, ""), self._node_pools)
        )

    def _node_pools(self) -> Sequence[str]:
        """Returns the names of the fleet's NodePools; the fleet stands for every cluster."""
        kubeconfig = self._environment.get(FLEET)
        if not kubeconfig:
            return ()
        try:
            return [pool["metadata"]["name"] for pool in Api(kubeconfig, None).items(API)]
        except KubeconfigError as error:
            raise Failure(f"the fleet of {FLEET} cannot be reached: {error}") from None
