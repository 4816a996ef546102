"""Writes measured figures into the documents. scripts/figures runs this.

    figures.py [--root FOLDER] FILE.json…

The format of a file:

    {"document": "performance",          a file in docs/, without .md; or "README"
     "machine": "2 cores, 24 GB, PostgreSQL 15.18", "taken": "2026-11-25",
     "blocks": [{"id": "scale-passes",
                 "text": "Markdown",                                  \\
                 "columns": ["…"], "rows": [["…"]],                    > each is optional, and may be null
                 "plot": {"title": "…", "kind": "line", …}}]}         /

plots.py documents the format of a plot. If any file is invalid, nothing is written.
"""

import argparse
import json
import re
import sys
from pathlib import Path

IDENTIFIER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
END = "<!-- /figures -->"


class InvalidFile(Exception):
    """An invalid file: what is wrong, where, and what was expected."""


def take(where, thing, key, kind, optional=False):
    """Returns the value of a key, which must have this type."""
    value = thing.get(key)
    if value is None and optional:
        return None
    if not isinstance(value, kind):
        found = "is missing" if value is None else f"is {json.dumps(value)[:60]}"
        raise InvalidFile(f'{where}: "{key}" {found}; expected {"text" if kind is str else "a " + kind.__name__}')
    return value


def only(where, thing, keys):
    if not isinstance(thing, dict):
        raise InvalidFile(f"{where}: found {json.dumps(thing)[:60]}; expected an object with {', '.join(keys)}")
    for key in thing.keys() - set(keys):
        raise InvalidFile(f'{where}: unknown key "{key}"; expected {", ".join(keys)}')


def table(where, block):
    columns, rows = take(where, block, "columns", list, True), take(where, block, "rows", list, True)
    if columns is None and rows is None:
        return None
    if not columns or rows is None:
        raise InvalidFile(f'{where}: "columns" requires "rows", and the other way around')
    for number, row in enumerate([columns, *rows]):
        if not isinstance(row, list) or not all(isinstance(cell, str) for cell in row) or len(row) != len(columns):
            raise InvalidFile(f"{where}: row {number} is {json.dumps(row)[:60]}; expected {len(columns)} texts, one per column")
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in row) + " |" for row in lines)


def markdown(where, block, facts, picture):
    """Returns the text between the markers. Adds the machine and the date, unless the text has them."""
    text = take(where, block, "text", str, True)
    parts = [text.strip() if text else None, table(where, block)]
    if block.get("plot") is not None:
        title = take(f"{where}, plot", block["plot"], "title", str)
        parts.append(f"![{title}]({picture})")
    if not any(parts):
        raise InvalidFile(f"{where}: empty; expected a text, columns and rows, or a plot")
    if facts["taken"] not in (text or ""):
        parts.append(f"<sub>{facts['taken']}, {facts['machine']}</sub>")
    return "\n\n".join(part for part in parts if part)


def insert(document, shown, block_id, content):
    begin = f"<!-- figures: {block_id} -->"
    before, found, rest = document.partition(begin + "\n")
    if not found or begin in rest:
        raise InvalidFile(f"{shown}: expected exactly one line {begin}, followed by {END}")
    old, found, after = rest.partition(END)
    if not found or "<!-- figures:" in old:
        raise InvalidFile(f"{shown}: {begin} is not followed by {END}")
    return f"{before}{begin}\n{content}\n{END}{after}"


def read(root, path, documents, plots):
    """Inserts a file's blocks into `documents`, and its plots into `plots`."""
    try:
        file = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidFile(f"{path}: {error}") from error
    only(path, file, ["document", "machine", "taken", "blocks"])
    name, machine, taken = (take(path, file, key, str) for key in ["document", "machine", "taken"])
    shown = "README.md" if name == "README" else f"docs/{name}.md"
    if not re.fullmatch(r"[\w-]+", name) or not (root / shown).is_file():
        raise InvalidFile(f'{path}: "document" is "{name}", and there is no {shown}; expected README, or a name in docs/')
    text = documents.get(shown) or (root / shown).read_text(encoding="utf-8")
    for number, block in enumerate(take(path, file, "blocks", list)):
        where = f"{path}, block {number}"
        only(where, block, ["id", "text", "columns", "rows", "plot"])
        block_id = take(where, block, "id", str)
        if not IDENTIFIER.match(block_id):
            raise InvalidFile(f'{where}: "id" is "{block_id}"; expected small letters, digits and single hyphens')
        where = f"{path}, block {block_id}"
        picture = f"docs/figures/{block_id}.svg"
        if block.get("plot") is not None:
            plots[picture] = (where, block_id, block["plot"])
        link = picture if name == "README" else picture.removeprefix("docs/")
        content = markdown(where, block, {"machine": machine, "taken": taken}, link)
        text = insert(text, shown, block_id, content)
    documents[shown] = text


def main():
    arguments = argparse.ArgumentParser(prog="figures", description="Writes measured figures into the documents.")
    arguments.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help="where docs/ is")
    arguments.add_argument("files", type=Path, nargs="+")
    arguments = arguments.parse_args()
    documents, plots, pictures = {}, {}, {}
    try:
        for path in arguments.files:
            read(arguments.root, path, documents, plots)
        if plots:
            # Imported here, because tables do not need the plotting library.
            from plots import draw

            pictures = {picture: draw(*plot) for picture, plot in plots.items()}
    except InvalidFile as error:
        sys.exit(f"figures: {error}")
    for shown, text in (documents | pictures).items():
        path = arguments.root / shown
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"figures: wrote {shown}")


if __name__ == "__main__":
    # plots.py imports this file by its name.
    sys.modules["figures"] = sys.modules["__main__"]
    main()
