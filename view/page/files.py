"""The files of the page: ours, and the few libraries that npm put beside them. Read once, named by their content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from view.packed import Packed

HERE: Final = Path(__file__).parent
OURS: Final = ("base", "model", "map", "panels", "pages", "css")
TYPES: Final = {
    ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2",
}  # fmt: skip
FONT: Final = "@fontsource/noto-sans-sc"
STYLES: Final = ("colours", "base", "map", "panels")
"""Of every page, before its own; one file, as a browser paints nothing until each has come."""
FIRST: Final = "base/first.js"
LIBRARIES: Final = {
    "lib/uplot.js": "uplot/dist/uPlot.iife.min.js",
    "lib/uplot.css": "uplot/dist/uPlot.min.css",
    "lib/noto.css": f"{FONT}/400.css",
}
SLICES: Final = f"{FONT}/files/noto-sans-sc-*-400-normal.woff2"
COMMENT: Final = re.compile(rb"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*$", re.MULTILINE | re.DOTALL)
"""A block comment that has its lines to itself; they stay as empty lines, so that numbers of lines are those of the source."""
IMPORT: Final = re.compile(r'^(?:import|export) (?:.*?from )?"(\.[^"]+)";$', re.MULTILINE)
"""A module that is loaded before the one that names it runs."""
SQUEEZED: Final = frozenset({".js", ".css", ".svg"})


class File(NamedTuple):
    """One file as it is sent; texts are packed."""

    content: Packed
    media_type: str


class Files:
    """All files, and the part of their address that changes whenever one of them does."""

    def __init__(self, folder: Path = HERE) -> None:
        self.known = {name: _file(path, name) for name, path in sorted(_found(folder))}
        pages = [name[6:-3] for name in self.known if name.startswith("pages/") and f"css/{name[6:-3]}.css" in self.known]
        self.known |= {f"styles/{page}.css": self._style(page) for page in pages}
        content = hashlib.sha256()
        for name, file in self.known.items():
            content.update(name.encode() + hashlib.sha256(file.content.body).digest())
        self.hash = content.hexdigest()[:16]
        self.missing = [name for name in LIBRARIES if name not in self.known]
        text = (folder / "html" / "page.html").read_text(encoding="utf-8")
        self._shells = {page: self._shell(text, page) for page in pages}

    @property
    def root(self) -> str:
        """Where they are served: relative imports of modules stay inside."""
        return f"/page/{self.hash}"

    def shell(self, page: str, grids: str = "") -> bytes:
        """An HTML page that names this content and the set of grids; every module it needs is asked for at once."""
        return self._shells[page].replace("{grids}", grids).encode()

    def _shell(self, text: str, page: str) -> str:
        preloads = "\n".join(f'<link rel="modulepreload" href="{self.root}/{one}">' for one in self._modules(page))
        return text.replace("{preloads}", preloads).replace("{root}", self.root).replace("{page}", page)

    def _modules(self, page: str) -> list[str]:
        """What asks the first questions comes first."""
        first = self.imports(FIRST)
        return first + [name for name in self.imports(f"pages/{page}.js") if name not in first]

    def imports(self, name: str) -> list[str]:
        """Every module that a module loads at once, itself first."""
        found = [name]
        for one in found:
            for wanted in IMPORT.findall(self.known[one].content.body.decode()):
                path = joined(Path(one).parent, wanted)
                if path not in found:
                    found.append(path)
        return found

    def _style(self, page: str) -> File:
        parts = [self.known[f"css/{name}.css"].content.body for name in (*STYLES, page)]
        body = b"".join(parts) + b"@media print {\n" + self.known["css/print.css"].content.body + b"}\n"
        return File(Packed.of(body), TYPES[".css"])


def joined(folder: Path, wanted: str) -> str:
    """The file that a relative import in a folder names."""
    parts = list(folder.parts)
    for part in wanted.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _found(folder: Path) -> Iterator[tuple[str, Path]]:
    yield "icon.svg", folder / "icon.svg"
    for part in OURS:
        for path in (folder / part).iterdir():
            if path.suffix in TYPES:
                yield f"{part}/{path.name}", path
    modules = folder / "node_modules"
    for name, where in LIBRARIES.items():
        if (modules / where).exists():
            yield name, modules / where
    for path in modules.glob(SLICES):
        yield f"lib/files/{path.name}", path


def _file(path: Path, name: str) -> File:
    body = path.read_bytes()
    if name == "lib/noto.css":  # the older format is never asked for
        body = re.sub(rb", url\([^)]*\.woff\) format\('woff'\)", b"", body)
    if path.suffix == ".js" and not name.startswith("lib/"):  # types and reasons are for who reads the source
        body = COMMENT.sub(lambda found: b"\n" * found[0].count(b"\n"), body)
    if name == "lib/uplot.js":  # only the form for plain scripts comes minified, at half the size
        body += b"\nexport default uPlot;\n"
    return File(Packed.of(body) if path.suffix in SQUEEZED else Packed(body), TYPES[path.suffix])
