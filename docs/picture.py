"""Draws `docs/stack.svg`, the README's picture of a stack and of a request's path: `python docs/picture.py` writes it.

The picture has its own background, so that it can be read on light and dark pages.
"""

from dataclasses import dataclass
from html import escape
from pathlib import Path

FILE = Path(__file__).with_name("stack.svg")
WIDTH, HEIGHT = 1130, 752
TITLE = "A stack and the path of a request"
DESCRIPTION = (
    "A client sends a request to the router's proxy, Envoy or a Gateway. "
    "The proxy asks the endpoint picker, then sends the request to a decode pod. "
    "The decode pod's sidecar sends the prompt to a prefill pod, whose KV cache travels to the decode pod over RDMA. "
    "The decode pod sends the answer. Around them: namespace, CRDs, monitoring, node pools, the cluster."
)
INK, MUTED, PAPER, LINE = "#1b2733", "#51606e", "#ffffff", "#8796a5"
REQUEST, CACHE, ANSWER = "#0b5cad", "#b3400a", "#1d6f42"


@dataclass(frozen=True)
class Box:
    """A part of a stack, or a frame around parts. `optional` ones have a dashed line."""

    x: int
    y: int
    width: int
    height: int
    title: str
    lines: tuple[str, ...] = ()
    fill: str = PAPER
    optional: bool = False
    size: int = 17


@dataclass(frozen=True)
class Arrow:
    """A step of the request from point to point, with its number and words; `at` is the left end of the words."""

    points: tuple[tuple[int, int], ...]
    colour: str
    step: str = ""
    words: tuple[str, ...] = ()
    at: tuple[int, int] = (0, 0)
    width: int = 3
    dashed: bool = False


BOXES = (
    Box(246, 70, 864, 612, "Cluster: existing, or made on GKE or CoreWeave", fill="#eef2f6", optional=True),
    Box(268, 112, 400, 66, "CRDs", ("InferencePool, Gateway API; kept on destroy",)),
    Box(688, 112, 400, 66, "Monitoring", ("PodMonitors of router and model servers",), optional=True),
    Box(268, 194, 820, 364, "Namespace", fill="#f8fafc"),
    Box(288, 236, 290, 302, "Router (Helm release)", fill="#e6effa"),
    Box(306, 276, 254, 92, "Proxy", ("Envoy beside the picker,", "or a Gateway")),
    Box(306, 434, 254, 86, "Endpoint picker (EPP)", ("knows the load and the", "prefix cache of each pod")),
    Box(790, 236, 280, 96, "Prefill pods", ("Deployment, 8 pods × 1 GPU:", "read the prompt"), fill="#fdf1e4"),
    Box(
        790,
        422,
        280,
        116,
        "Decode pods",
        ("Deployment, 2 pods × 4 GPUs,", "each with a routing proxy:", "write the answer"),
        fill="#e8f5ec",
    ),
    Box(268, 576, 320, 88, "CPU node pool", ("for the router and for the", "cluster's own pods"), optional=True),
    Box(
        608,
        576,
        480,
        88,
        "Accelerator node pool",
        ("here 2 nodes × 8 H200 with RDMA; also B200 and", "TPU, and on existing nodes AMD and Intel"),
        optional=True,
    ),
    Box(20, 276, 112, 92, "Client", ("OpenAI API",)),
)
ARROWS = (
    Arrow(((132, 304), (306, 304)), REQUEST, "1", ("request",), (142, 292)),
    Arrow(((400, 368), (400, 434)), REQUEST, "2", ("which pods?",), (416, 406)),
    Arrow(((560, 304), (704, 304), (704, 460), (790, 460)), REQUEST, "3", ("request",), (588, 292)),
    Arrow(((868, 422), (868, 332)), REQUEST, "4", ("prompt",), (768, 382)),
    Arrow(((924, 332), (924, 422)), CACHE, "5", ("KV cache", "over RDMA"), (944, 373), width=7),
    Arrow(((790, 508), (640, 508), (640, 346), (560, 346)), ANSWER, "6", ("answer",), (656, 500), dashed=True),
    Arrow(((306, 346), (132, 346)), ANSWER, "6", ("answer",), (142, 374), dashed=True),
)


def text(x: int, y: int, words: str, size: int, colour: str = INK, weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" font-weight="{weight}">{escape(words)}</text>'


def box(part: Box) -> list[str]:
    dash = ' stroke-dasharray="7 5"' if part.optional else ""
    frame = (
        f'<rect x="{part.x}" y="{part.y}" width="{part.width}" height="{part.height}" rx="9" fill="{part.fill}" '
        f'stroke="{LINE}" stroke-width="1.6"{dash}/>'
    )
    title = text(part.x + 14, part.y + 26, part.title, part.size, weight="bold")
    return [
        frame,
        title,
        *(text(part.x + 14, part.y + 49 + 21 * row, line, 15, MUTED) for row, line in enumerate(part.lines)),
    ]


def arrow(way: Arrow) -> list[str]:
    dash = ' stroke-dasharray="9 6"' if way.dashed else ""
    points = " ".join(f"{x},{y}" for x, y in way.points)
    line = (
        f'<polyline points="{points}" fill="none" stroke="{way.colour}" stroke-width="{way.width}" '
        f'stroke-linejoin="round"{dash}/>'
    )
    return [line, head(way), *label(way)]


def head(way: Arrow) -> str:
    """Returns the arrow's head: a triangle at the last point, in the direction of the last line."""
    (x0, y0), (x, y) = way.points[-2:]
    dx, dy = (x > x0) - (x < x0), (y > y0) - (y < y0)
    half = 6 + way.width
    back = (x - 15 * dx, y - 15 * dy)
    one, other = (back[0] - half * dy, back[1] - half * dx), (back[0] + half * dy, back[1] + half * dx)
    return f'<polygon points="{x},{y} {one[0]},{one[1]} {other[0]},{other[1]}" fill="{way.colour}"/>'


def label(way: Arrow) -> list[str]:
    x, y = way.at
    number = [
        f'<circle cx="{x + 9}" cy="{y - 5}" r="11" fill="{way.colour}"/>',
        f'<text x="{x + 9}" y="{y}" font-size="15" fill="{PAPER}" font-weight="bold" text-anchor="middle">{way.step}</text>',
    ]
    return number + [text(x + 25, y + 19 * row, words, 15, way.colour, "bold") for row, words in enumerate(way.words)]


def legend() -> list[str]:
    square = f'y="703" width="34" height="22" rx="5" fill="{PAPER}" stroke="{LINE}" stroke-width="1.6"'
    return [
        text(20, 40, "A stack: made from one stack file by pulumi up", 21, weight="bold"),
        f'<rect x="20" {square}/>',
        text(64, 720, "made by every stack", 15, MUTED),
        f'<rect x="250" {square} stroke-dasharray="7 5"/>',
        text(294, 720, "made on request, or existing", 15, MUTED),
        text(570, 720, "Sizes: the guide's, gpt-oss-120b on 16 H200", 15, MUTED),
    ]


def svg() -> str:
    """Returns the picture."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, DejaVu Sans, sans-serif">',
        f"<title>{escape(TITLE)}</title>",
        f"<desc>{escape(DESCRIPTION)}</desc>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="{PAPER}" stroke="{LINE}"/>',
        *(line for part in BOXES for line in box(part)),
        *(line for way in ARROWS for line in arrow(way)),
        *legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    FILE.write_text(svg())
