"""Stand-ins for official Pulumi plugins. Frozen: mend what differs from the official plugin, add nothing (ADR 6).

They serve machines that cannot get the official plugins; a machine that can uses those:
- `language_host`, `language_exec`: `pulumi-language-python`, which runs the program. Used in every rehearsal without the
official host.
- `__main__` with `resource-pulumi-python`: starts the SDK's own provider of dynamic resources, which an official CLI starts
itself.
- `kube`: `pulumi-resource-kubernetes`, newest version. No rehearsal uses it. Tests do that need what only providers since 4.29
have.
- `plugin`, `provider`, `values`, `protocol`: the protocol, also for the pretend clouds of `rehearsal.clouds`, which are not
frozen.
- `install`: puts the stand-ins where the CLI looks for plugins.

`kube.client` is a Kubernetes client of its own, beside `components.kube_client`: the plugin is configured by a provider's
inputs, and needs discovery, concurrent requests, server-side apply and the API server's Status with the official provider's
messages.
"""
