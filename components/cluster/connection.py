"""The connection to a cluster: two Kubernetes providers for one context of a kubeconfig.

`cluster` is for objects that the stack owns. `shared` is for CRDs and other cluster-wide objects, which outlive the stack: it
upserts, because since pulumi-kubernetes 4.29 a create over an existing object fails, and it forces, because an object of another
release or of an earlier stack would be a conflict of field managers (docs/adr/0003).
"""

from typing import TypedDict

import pulumi
import pulumi_kubernetes as k8s


class ExistingClusterArgs(TypedDict):
    """A kubeconfig's path, or its whole text, and the context in it; None: kubectl's default.

    Plain for an existing cluster. Wired for a cluster that the stack makes: the text is known after it is made.
    """

    kubeconfig: pulumi.Input[str] | None
    context: str | None


class ExistingCluster(pulumi.ComponentResource):
    """Two providers on one kubeconfig: `cluster` and `shared`.

    The component's dependencies are made before the providers and all their objects, and deleted after them.
    """

    cluster: k8s.Provider
    shared: k8s.Provider

    def __init__(self, name: str, args: ExistingClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:ExistingCluster", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts else None)
        self.cluster = k8s.Provider(
            f"{name}-cluster",
            kubeconfig=args["kubeconfig"],
            context=args["context"],
            enable_server_side_apply=True,
            # A changed Secret or ConfigMap is an update here; the provider's default replaces it under its readers.
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
            opts=child,
        )
        self.shared = k8s.Provider(
            f"{name}-shared",
            kubeconfig=args["kubeconfig"],
            context=args["context"],
            enable_server_side_apply=True,
            upsert_existing_objects=True,
            enable_patch_force=True,
            opts=child,
        )
        self.register_outputs({})
