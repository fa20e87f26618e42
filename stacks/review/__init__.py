"""Moving a stack from one release to another: what changes, what is replaced and what breaks, in words.

Compares two plans of one stack file, so what is said is what would be applied; and the facts of the two bills that no
render shows. Pure: whoever has rendered charts may give them. How it is shown is `commands.versions`' business.
"""
