"""The model servers' credentials: the Secret with HF_TOKEN, if the token is a Pulumi secret of the stack."""

from typing import TypedDict

import pulumi

from components.objects import KubernetesObject


class CredentialsArgs(TypedDict):
    """Plain: the Secret's `name`, `namespace` and key. Wired: the `token`, and the resources that it comes `after`."""

    name: str
    namespace: str
    key: str
    token: pulumi.Input[str]
    after: list[pulumi.Resource]


class Credentials(pulumi.ComponentResource):
    """A Secret. Its values are secrets in the state too, including those that the API server adds."""

    resource: pulumi.CustomResource

    def __init__(self, name: str, args: CredentialsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:Credentials", name, None, opts)
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": args["name"], "namespace": args["namespace"]},
            "type": "Opaque",
            "stringData": {args["key"]: pulumi.Output.secret(args["token"])},
        }
        child = pulumi.ResourceOptions(
            parent=self, depends_on=args["after"], additional_secret_outputs=["data", "stringData"]
        )
        self.resource = KubernetesObject(name, secret, child)
        self.register_outputs({})
