"""Puts measured figures into the documents (scripts/figures runs it).

    figures.py [--root FOLDER] FILE.json…

A file holds

    {"document": "performance",          of docs/, without .md; or "README"
     "machine": "2 cores, 24 GB, PostgreSQL 15.18", "taken": "2026-11-25",
     "blocks": [{"id": "scale-passes",
                 "text": "Markdown",                                  \\
                 "columns": ["…"], "rows": [["…"]],                    > each of them may be left out, or null
                 "plot": {"title": "…", "kind": "line", …}}]}         /

plots.py says what a plot may hold. Nothing is written unless all of it can be.
"""

import argparse
import json
import re
import sys
from pathlib import Path

IDENTIFIER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
END = "<!-- /figures -->"


class Wrong(Exception):
    """What is wrong with a file, where, and how to cure it."""


def take(where, thing, key, kind, optional=False):
    """The value of a key, which must be of this kind."""
    value = thing.get(key)
    if value is None and optional:
        return None
    if not isinstance(value, kind):
        found = "is missing" if value is None else f"is {json.dumps(value)[:60]}"
        raise Wrong(f'{where}: "{key}" {found}; expected {"text" if kind is str else "a " + kind.__name__}')
    return value


def only(where, thing, keys):
    if not isinstance(thing, dict):
        raise Wrong(f"{where}: found {json.dumps(thing)[:60]}; expected an object with {', '.join(keys)}")
    for key in thing.keys() - set(keys):
        raise Wrong(f'{where}: unknown key "{key}"; expected {", ".join(keys)}')


def table(where, block):
    columns, rows = take(where, block, "columns", list, True), take(where, block, "rows", list, True)
    if columns is None and rows is None:
        return None
    if not columns or rows is None:
        raise Wrong(f'{where}: "columns" and "rows" belong together')
    for number, row in enumerate([columns, *rows]):
        if not isinstance(row, list) or not all(isinstance(cell, str) for cell in row) or len(row) != len(columns):
            raise Wrong(f"{where}: row {number} is {json.dumps(row)[:60]}; expected {len(columns)} texts, as there are columns")
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in row) + " |" for row in lines)


def markdown(where, block, facts, picture):
    """What stands between the markers. Says the machine and the day, unless the text does."""
    text = take(where, block, "text", str, True)
    parts = [text.strip() if text else None, table(where, block)]
    if block.get("plot") is not None:
        title = take(f"{where}, plot", block["plot"], "title", str)
        parts.append(f"![{title}]({picture})")
    if not any(parts):
        raise Wrong(f"{where}: empty; expected a text, columns and rows, or a plot")
    if facts["taken"] not in (text or ""):
        parts.append(f"<sub>{facts['taken']}, {facts['machine']}</sub>")
    return "\n\n".join(part for part in parts if part)


def insert(document, shown, block_id, content):
    begin = f"<!-- figures: {block_id} -->"
    before, found, rest = document.partition(begin + "\n")
    if not found or begin in rest:
        raise Wrong(f"{shown}: expected exactly one line {begin}, followed by {END}")
    old, found, after = rest.partition(END)
    if not found or "<!-- figures:" in old:
        raise Wrong(f"{shown}: {begin} is not followed by {END}")
    return f"{before}{begin}\n{content}\n{END}{after}"


def read(root, path, documents, plots):
    """Adds a file's blocks to the texts of documents by path, and to the plots by picture."""
    try:
        file = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Wrong(f"{path}: {error}") from error
    only(path, file, ["document", "machine", "taken", "blocks"])
    name, machine, taken = (take(path, file, key, str) for key in ["document", "machine", "taken"])
    shown = "README.md" if name == "README" else f"docs/{name}.md"
    if not re.fullmatch(r"[\w-]+", name) or not (root / shown).is_file():
        raise Wrong(f'{path}: "document" is "{name}", and there is no {shown}; expected README, or a name in docs/')
    text = documents.get(shown) or (root / shown).read_text(encoding="utf-8")
    for number, block in enumerate(take(path, file, "blocks", list)):
        where = f"{path}, block {number}"
        only(where, block, ["id", "text", "columns", "rows", "plot"])
        block_id = take(where, block, "id", str)
        if not IDENTIFIER.match(block_id):
            raise Wrong(f'{where}: "id" is "{block_id}"; expected small letters, digits and single hyphens')
        where = f"{path}, block {block_id}"
        picture = f"docs/figures/{block_id}.svg"
        if block.get("plot") is not None:
            plots[picture] = (where, block_id, block["plot"])
        link = picture if name == "README" else picture.removeprefix("docs/")
        content = markdown(where, block, {"machine": machine, "taken": taken}, link)
        text = insert(text, shown, block_id, content)
    documents[shown] = text


def main():
    arguments = argparse.ArgumentParser(prog="figures", description="Puts measured figures into the documents.")
    arguments.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help="where docs/ is")
    arguments.add_argument("files", type=Path, nargs="+")
    arguments = arguments.parse_args()
    documents, plots, pictures = {}, {}, {}
    try:
        for path in arguments.files:
            read(arguments.root, path, documents, plots)
        if plots:
            # Here, because tables alone need no library.
            from plots import draw

            pictures = {picture: draw(*plot) for picture, plot in plots.items()}
    except Wrong as error:
        sys.exit(f"figures: {error}")
    for shown, text in (documents | pictures).items():
        path = arguments.root / shown
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"figures: wrote {shown}")


if __name__ == "__main__":
    # plots.py takes its names from this file.
    sys.modules["figures"] = sys.modules["__main__"]
    main()
