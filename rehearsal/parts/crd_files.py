"""Pinned CRD files from the network: from their publisher, or from Go modules that contain them if it does not answer."""

from collections.abc import Callable, Sequence
from http.client import HTTPException
from urllib.error import URLError

from hardware.bill import Crd
from rehearsal.errors import UnavailableError
from rehearsal.parts import upstream
from rehearsal.parts.toolchain import OFFLINE, offline
from rehearsal.report import Report


class Fetch:
    """A `fetch` for `Pinned`: reads the pinned URL, and after the first that does not answer the same file of a Go module.

    `Pinned` verifies the checksum in either case.
    """

    def __init__(self, files: Sequence[Crd], download: Callable[[str], bytes], report: Report) -> None:
        self._sources = {file.url: file.source for file in files}
        self._download = download
        self._report = report
        self._refusal: Exception | None = None
        #: The modules that were used, for the report.
        self.modules: list[str] = []

    def __call__(self, url: str) -> bytes:
        if offline():
            raise URLError(f"{OFFLINE} is set, and the file is not in the cache")
        if self._refusal is None:
            try:
                return self._download(url)
            except (OSError, HTTPException) as error:
                self._refusal = error
        return self._of_module(url, self._refusal)

    def _of_module(self, url: str, refusal: Exception) -> bytes:
        if (source := self._sources[url]) is None:
            raise refusal
        said = upstream.said(source.module)
        if said not in self.modules:
            self.modules.append(said)
            self._report.info(f"CRDs cannot be downloaded: taking them from {said}")
        try:
            return upstream.read(source, self._report)
        except UnavailableError as error:
            raise URLError(f"{_reason(refusal)}; {error}") from None


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return getattr(reason, "strerror", None) or str(reason)
