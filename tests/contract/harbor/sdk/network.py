"""Networks."""

import pulumi


class Network(pulumi.CustomResource):
    """A network."""

    def __init__(self, name: str, region: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("harbor:network:Network", name, {"region": region}, opts)
