"""Moves of a stack from one release to another: what changes, what is replaced and what breaks, as text.

Compares the two blueprints of one stack file, so the result is about what would be applied, and facts of the two bills that no
rendered object shows. Pure: the caller passes rendered charts if it has them. `commands.versions` prints the result.
"""
