"""Checks the links and anchors of all documents, and adapts those of the site.

    python3 docs/links.py check     checks every document that git tracks; exits 1 if a link is dead

As a preprocessor of mdBook (see book.toml) it checks too, and rewrites links for the site. Some chapters
show a document from outside of docs/. Links to such documents lead to their chapters, and links to other
files outside of docs/ lead to the repository. A dead link fails the build.
"""

import json
import posixpath
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = "https://github.com/bankfeed/bankfeed/blob/main/"
# Chapters that show a document from outside of docs/.
SHOWN = {
    "docs/architecture.md": "ARCHITECTURE.md",
    "docs/contributing.md": "CONTRIBUTING.md",
    "docs/changelog.md": "CHANGELOG.md",
    "docs/clients.md": "tests/clients/README.md",
    "docs/kits.md": "kits/README.md",
}
# The chapter for a document. The README is for the repository, and the introduction for the site.
CHAPTERS = {document: chapter for chapter, document in SHOWN.items()} | {"README.md": "docs/introduction.md"}
LINK = re.compile(r"(\]\()([^)\s]+)(\))")
FENCE = re.compile(r"^\s*(```|~~~)")
CODE_SPAN = re.compile(r"(`+)(?:(?!\1).)+?\1")


def parts(text):
    """The lines of a document, each with True if it is prose and not code."""
    in_code = False
    for line in text.split("\n"):
        is_fence = FENCE.match(line) is not None
        yield line, not (in_code or is_fence)
        in_code ^= is_fence


def slug(heading):
    """The anchor of a heading, as mdBook and the usual hosts of repositories make it."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    kept = (letter for letter in plain.strip().lower() if letter.isalnum() or letter in "_- ")
    return "".join(kept).replace(" ", "-")


def anchors(text):
    """The anchors of a document. A repeated heading gets a number."""
    found, seen = set(), {}
    for line, is_prose in parts(text):
        heading = re.match(r"#{1,6}\s+(.*)", line) if is_prose else None
        if heading:
            name = slug(heading[1])
            count = seen.get(name, 0)
            seen[name] = count + 1
            found.add(f"{name}-{count}" if count else name)
    return found


def resolved(document, target):
    """The path in the repository, and the anchor, that a link of a document means."""
    path, _, anchor = target.partition("#")
    if not path:
        return document, anchor
    return posixpath.normpath(posixpath.join(posixpath.dirname(document), path)), anchor


def fault_of(document, target):
    """The fault of a link, or None."""
    path, anchor = resolved(document, target)
    file = ROOT / path
    if not file.exists():
        return f"{document}: dead link to {target}"
    if anchor and file.suffix == ".md" and anchor not in anchors(file.read_text()):
        return f"{document}: no heading for the anchor of {target}"
    return None


def each_link(document, text, change):
    """The text with `change(target)` in the place of every link target outside of code."""
    lines = []
    for line, is_prose in parts(text):
        if is_prose:
            spans = [match.span() for match in CODE_SPAN.finditer(line)]
            def changed(match, spans=spans):
                in_code = any(begin < match.start(2) < end for begin, end in spans)
                external = re.match(r"[a-z]+:", match[2]) is not None
                return match[0] if in_code or external else match[1] + change(match[2]) + match[3]
            line = LINK.sub(changed, line)
        lines.append(line)
    return "\n".join(lines)


def faults_of(document, text):
    faults = []
    def note(target):
        faults.append(fault_of(document, target))
        return target
    each_link(document, text, note)
    return [fault for fault in faults if fault]


def with_anchors(text):
    """The text with an explicit anchor at headings that end with a brace: mdBook takes such an end for attributes."""
    lines = []
    for line, is_prose in parts(text):
        heading = re.match(r"#{1,6}\s+(.*\})\s*$", line) if is_prose else None
        lines.append(f"{line} {{#{slug(heading[1])}}}" if heading else line)
    return "\n".join(lines)


def for_site(chapter, document, text):
    """The text of a chapter with the links of the site."""
    def moved(target):
        path, anchor = resolved(document, target)
        path = CHAPTERS.get(path, path)
        ending = f"#{anchor}" if anchor else ""
        if path == chapter:
            return ending or posixpath.basename(path)
        if path.startswith("docs/"):
            return posixpath.relpath(path, "docs") + ending
        return REPOSITORY + path + ending
    return each_link(document, with_anchors(text), moved)


def check():
    """Checks every document that git tracks or would track."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    output = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    documents = [name for name in output.split("\n") if name and (ROOT / name).exists()]
    faults = [fault for name in documents for fault in faults_of(name, (ROOT / name).read_text())]
    print(*faults, f"{len(documents)} documents, {len(faults)} dead links", sep="\n")
    return 1 if faults else 0


def preprocess():
    """Reads mdBook's book from standard input and prints it with the links of the site."""
    _, book = json.load(sys.stdin)
    faults = []

    def visit(item):
        chapter = item.get("Chapter") if isinstance(item, dict) else None
        if not chapter or not chapter.get("path"):
            return
        name = f"docs/{chapter['path']}"
        document = SHOWN.get(name, name)
        text = (ROOT / document).read_text() if name in SHOWN else chapter["content"]
        faults.extend(faults_of(document, text))
        chapter["content"] = for_site(name, document, text)
        for inner in chapter["sub_items"]:
            visit(inner)

    for item in book["items"]:
        visit(item)
    print(json.dumps(book))
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def main():
    match sys.argv[1:]:
        case ["check"]:
            return check()
        case ["supports", renderer]:
            return 0 if renderer == "html" else 1
        case []:
            return preprocess()
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
