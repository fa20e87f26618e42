"""Harbor's SDK for Pulumi, as a generator would write it."""

import pulumi


class Provider(pulumi.ProviderResource):
    """The provider."""

    def __init__(self, name: str, region: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("harbor", name, {"region": region}, opts)
