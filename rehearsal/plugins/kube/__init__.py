"""The stand-in for the Pulumi plugin `pulumi-resource-kubernetes`: `provider` is where it starts."""
