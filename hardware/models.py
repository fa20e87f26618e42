"""Facts about models that their ids tell: which can be had with a token only, how large the largest are.

Gated by the beginning of the id, as Hugging Face's pages say it (2026-11); a stack that knows better says `serving.gated`.
"""

GATED = ("meta-llama/", "google/gemma-")


def is_gated(model: str) -> bool:
    """Whether a model can be downloaded only by those whom its owner let in."""
    return model.startswith(GATED)


#: Gigabytes that a model's files are, by its id, of those whose pods have nowhere to keep them but the boot disk.
DOWNLOAD_GB = {"Qwen/Qwen3.5-397B-A17B-FP8": 400}
