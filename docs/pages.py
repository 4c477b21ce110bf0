"""Makes a site of the documents (mkdocs calls this): the pages at the root of the project, and the reference.

The reference has a page for each public module, with what its docstrings say. The links of the documents are written
for who reads them in the source tree; here they are turned to where the same text is on the site.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

import torsion

ROOT = Path(__file__).parent.parent
#: Pages that lie at the root of the project, and what they are called on the site.
OUTSIDE = {
    "README.md": "torsion.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "SECURITY.md": "SECURITY.md",
}
PACKAGE = Path(torsion.__file__).parent


def _public() -> list[str]:
    """The public modules; of a public package, the modules in it."""
    found = []
    for name in torsion.__all__:
        inside = [path.stem for path in (PACKAGE / name).glob("*.py") if not path.stem.startswith("_")]
        found += [f"{name}.{each}" for each in inside] or [name]
    return sorted(name for name in found if name != "reactor")


MODULES = _public()


def on_files(files: Files, config: Any) -> Files:
    """Add what is not in docs/."""
    for source, page in OUTSIDE.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    index = ["# Reference", "", "The public modules. `from torsion import reactor` gives the reactor.", ""]
    for name in MODULES:
        files.append(
            File.generated(config, f"reference/{name}.md", content=f"# torsion.{name}\n\n::: torsion.{name}\n")
        )
        index.append(f"- [torsion.{name}]({name}.md)")
    files.append(File.generated(config, "reference/index.md", content="\n".join(index) + "\n"))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Turn the links; what is only in the source tree loses its link and keeps its text."""
    at_root = page.file.src_uri in OUTSIDE.values()
    return re.sub(r"\[([^\]]*)\]\(([^)\s]+)\)", lambda link: _turned(link, at_root), markdown)


def _turned(link: re.Match[str], at_root: bool) -> str:
    text, target = link.groups()
    path, hash, anchor = target.partition("#")
    if "://" in path or not path:
        return link[0]
    if at_root:  # written at the root of the project
        inside = path.removeprefix("docs/") if path.startswith("docs/") else OUTSIDE.get(path)
    elif path.startswith("../"):
        inside = OUTSIDE.get(path.removeprefix("../"))
    else:
        inside = path
    return text if inside is None else f"[{text}]({inside}{hash}{anchor})"
