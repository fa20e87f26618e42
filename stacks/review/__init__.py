"""Moves of a stack from one release to another: changes, replacements and breaks, as texts.

Compares two blueprints of one stack file, and the facts of the two bills that no render shows. Pure: a caller may pass rendered
charts. `commands.versions` prints the result.
"""
