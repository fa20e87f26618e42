"""Names within the limits of a cloud."""


def shortened(name: str, most: int) -> str:
    """Returns the name if it has at most `most` characters, else its beginning and a hash of the whole name."""
    if len(name) <= most:
        return name
    import hashlib  # late: few names are too long

    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: most - 7].rstrip('-')}-{digest}"
