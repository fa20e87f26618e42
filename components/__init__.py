"""Pulumi ComponentResources. They register objects, wait for them and export what came of it; what the objects say is
decided in `hardware` and `releases`, and whether a component exists at all in `stacks.compose`."""
