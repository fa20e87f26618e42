"""A cluster that is there: nothing is made, a context of a kubeconfig is given its two providers.

`cluster` is for what the stack owns. `shared` is for CRDs and other cluster-wide objects, which outlive the stack: it
upserts, because since pulumi-kubernetes 4.29 a create over an existing object fails, and it forces, because otherwise one
of another release or of an earlier stack is a conflict of field managers (docs/adr/0003).
"""

from typing import TypedDict

import pulumi
import pulumi_kubernetes as k8s


class ExistingClusterArgs(TypedDict):
    """A kubeconfig's path, or the whole of it as text, and the context in it; None for each means what kubectl would use.

    Plain where the cluster is there. Wired where it is made: the text is known then, and not before.
    """

    kubeconfig: pulumi.Input[str] | None
    context: str | None


class ExistingCluster(pulumi.ComponentResource):
    """Two providers on one kubeconfig: `cluster` and `shared`. What the component depends on is there before them, and so before
    anything of theirs; and goes after it."""

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
