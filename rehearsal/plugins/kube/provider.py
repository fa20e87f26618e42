"""The stand-in for pulumi-resource-kubernetes: its settings, and the lifecycle of each resource.

Frozen (ADR 6): no rehearsal uses it. It behaves like the official provider 4.3x in server-side-apply mode, messages included;
some messages name the cause in addition. Differences: a Secret's diff is under `stringData`, as in the program, and not under
`data`; Helm's objects have Helm's field manager; the plugin ends with a killed CLI.

Left out, with an error: client-side apply, rendering to a directory, components of `yaml`, `kustomize` and `helm`.
"""

from collections.abc import Mapping

from rehearsal.plugins.kube.client import Cluster
from rehearsal.plugins.kube.patches import SUFFIX, Patches
from rehearsal.plugins.kube.release import Releases
from rehearsal.plugins.kube.resources import KubernetesObjects
from rehearsal.plugins.kube.settings import Settings
from rehearsal.plugins.plugin import Engine, Failure
from rehearsal.plugins.provider import Lifecycle, Properties, Provider, Resource

RELEASE = "kubernetes:helm.sh/v3:Release"


class KubernetesProvider(Provider):
    package = "kubernetes"

    def __init__(self, version: str, engine: Engine):
        super().__init__(version, engine)
        self.configure({})

    def configure(self, variables: Mapping[str, str]) -> None:
        settings = Settings(variables)
        if settings.not_offered:
            raise Failure(
                f"the offline stand-in for the kubernetes plugin does not offer `{settings.not_offered}`: "
                "use the official plugin"
            )
        cluster = Cluster(settings.kubeconfig)
        self._objects = KubernetesObjects(settings, cluster, self.engine, self.cancelled)
        self._patches = Patches(settings, cluster, self.engine, self.cancelled)
        self._releases = Releases(settings, cluster, self.cancelled)

    def diff_config(self, old: Properties, new: Properties) -> set[str]:
        before, after = (
            Settings({k: str(v) for k, v in item.items()}).kubeconfig.active_cluster for item in (old, new)
        )
        if before is None or after is None or before == after:
            return set()
        return {key for key in ("kubeconfig", "context", "cluster") if old.get(key) != new.get(key)}

    def lifecycle(self, resource: Resource) -> Lifecycle:
        if resource.type == RELEASE:
            return self._releases
        return self._patches if resource.type.endswith(SUFFIX) else self._objects
