"""Prints the types of an unpacked stripe-python as JSON.

Arguments: the folder that contains the package `stripe`, and a file with one served call per line,
such as `POST /v1/invoices/{id}`. The types are read from the syntax trees of the package's files, so
that no code of the package runs.

The output has `version`, `calls` (the parameters of each served call) and `objects` (the keys of each
object). A type is a hash with a `kind`, which is a word of the tables in `crates/wire/src/schema`, or
`ref` for another object.
"""

import ast
import json
import pathlib
import re
import sys

SIMPLE = {
    "str": "text",
    "int": "integer",
    "float": "number",
    "Decimal": "decimal",
    "bool": "boolean",
    "Any": "any",
    "object": "any",
}


class Module:
    """One file: its classes by dotted name, its functional TypedDicts and its imports."""

    def __init__(self, path):
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.classes = {}
        self.functional = {}
        self.imports = {}
        self._index(self.tree.body, "")
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for name in node.names:
                    self.imports[name.asname or name.name] = (node.module, name.name)

    def _index(self, body, prefix):
        for node in body:
            if isinstance(node, ast.ClassDef):
                self.classes[prefix + node.name] = node
                self._index(node.body, prefix + node.name + ".")
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                if getattr(node.value.func, "id", None) == "TypedDict":
                    pairs = node.value.args[1]
                    members = zip(pairs.keys, pairs.values)
                    self.functional[prefix + node.targets[0].id] = {
                        key.value: value for key, value in members
                    }


class Package:
    """An unpacked package."""

    def __init__(self, root):
        self.root = root
        self.modules = {}

    def module(self, dotted):
        if dotted not in self.modules:
            path = self.root / (dotted.replace(".", "/") + ".py")
            if not path.exists():
                path = self.root / dotted.replace(".", "/") / "__init__.py"
            self.modules[dotted] = Module(path) if path.exists() else None
        return self.modules[dotted]

    def find(self, dotted, name, scope=""):
        """Returns the module and the full name of a class that code in `scope` calls `name`."""
        module = self.module(dotted)
        if module is None:
            return None
        while True:
            full = f"{scope}.{name}" if scope else name
            if full in module.classes or full in module.functional:
                return dotted, full
            if not scope:
                break
            scope = scope.rpartition(".")[0]
        first, _, rest = name.partition(".")
        if first in module.imports:
            source, original = module.imports[first]
            return self.find(source, original + ("." + rest if rest else ""))
        return None


def expression(node):
    """Returns the expression of an annotation, which may be a text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ast.parse(node.value.strip(), mode="eval").body
    return node


def dotted_name(node):
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inside = dotted_name(node.value)
        return inside and f"{inside}.{node.attr}"
    return None


def options_of(node):
    """Returns the alternatives of a union."""
    node = expression(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return options_of(node.left) + options_of(node.right)
    if isinstance(node, ast.Subscript):
        name = dotted_name(node.value)
        if name == "Union":
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return [option for part in parts for option in options_of(part)]
        if name in ("NotRequired", "Required"):
            return options_of(node.slice)
    return [node]


def is_optional(node):
    node = expression(node)
    return isinstance(node, ast.Subscript) and dotted_name(node.value) == "NotRequired"


class Reader:
    """Reads types. A class with an OBJECT_NAME is a reference to that object."""

    def __init__(self, package):
        self.package = package

    def type_of(self, node, dotted, scope, path=()):
        """Returns the type, and true if an empty text unsets the value."""
        unsettable = False
        words, others, nullable, expandable = [], [], False, False
        for option in options_of(node):
            option = expression(option)
            if isinstance(option, ast.Subscript):
                name = dotted_name(option.value)
                if name == "Literal":
                    parts = option.slice.elts if isinstance(option.slice, ast.Tuple) else [option.slice]
                    for part in parts:
                        if part.value == "":
                            unsettable = True
                        elif isinstance(part.value, str):
                            words.append(part.value)
                        else:
                            others.append({"kind": "boolean"})
                    continue
                if name in ("Optional", "ExpandableField"):
                    inner, _ = self.type_of(option.slice, dotted, scope, path)
                    nullable |= name == "Optional" or inner.pop("nullable", False)
                    expandable |= name == "ExpandableField" or inner.pop("expandable", False)
                    others.append(inner)
                    continue
                if name in ("List", "Sequence"):
                    item, _ = self.type_of(option.slice, dotted, scope, path)
                    others.append({"kind": "list", "item": item})
                    continue
                if name == "ListObject":
                    item, _ = self.type_of(option.slice, dotted, scope, path)
                    others.append({"kind": "page", "item": item})
                    continue
                if name in ("Dict", "Mapping"):
                    value, _ = self.type_of(option.slice.elts[1], dotted, scope, path)
                    others.append({"kind": "map", "item": value})
                    continue
                if name == "UntypedStripeObject":
                    if not any(other["kind"] == "map" for other in others):
                        value, _ = self.type_of(option.slice, dotted, scope, path)
                        others.append({"kind": "map", "item": value})
                    continue
                others.append({"kind": "any"})
                continue
            if isinstance(option, ast.Constant) and option.value is None:
                nullable = True
                continue
            name = dotted_name(option)
            if name in SIMPLE:
                others.append({"kind": SIMPLE[name]})
            elif name is None:
                others.append({"kind": "any"})
            else:
                others.append(self.class_type(name, dotted, scope, path))
        if words:
            # Newer packages declare words that the server may extend as a union with `str`.
            others = [other for other in others if other != {"kind": "text"}]
            others.append({"kind": "word", "words": sorted(set(words))})
        merged = []
        for other in others:
            if other not in merged:
                merged.append(other)
        if len(merged) == 1:
            found = dict(merged[0])
        elif merged:
            found = {"kind": "either", "options": merged}
        else:
            found = {"kind": "text"}
        if nullable:
            found["nullable"] = True
        if expandable:
            found["expandable"] = True
        return found, unsettable

    def class_type(self, name, dotted, scope, path):
        found = self.package.find(dotted, name, scope)
        if found is None:
            return {"kind": "any"}
        module = self.package.module(found[0])
        node = module.classes.get(found[1])
        if node is not None and object_name(node):
            return {"kind": "ref", "object": object_name(node)}
        if found in path:
            return {"kind": "any"}
        return {"kind": "hash", "members": self.members(*found, path=path + (found,))}

    def members(self, dotted, full, path=()):
        module = self.package.module(dotted)
        members = {}
        if full in module.functional:
            fields = module.functional[full].items()
            bases = []
            scope = full.rpartition(".")[0]
        else:
            node = module.classes[full]
            fields = [
                (item.target.id, item.annotation)
                for item in node.body
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
            ]
            bases = [dotted_name(base) for base in node.bases]
            scope = full
        for base in bases:
            if base is None or base in ("RequestOptions", "TypedDict"):
                continue
            found = self.package.find(dotted, base, full.rpartition(".")[0])
            if found and found[1] in self.package.module(found[0]).functional:
                members.update(self.members(*found, path=path))
        for name, annotation in fields:
            if name.startswith("_inner_class") or name == "OBJECT_NAME":
                continue
            found, unsettable = self.type_of(annotation, dotted, scope, path)
            members[name] = {
                "required": not is_optional(annotation),
                "unsettable": unsettable,
                "type": found,
            }
        return members


def object_name(node):
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and getattr(item.target, "id", "") == "OBJECT_NAME":
            return item.value.value if isinstance(item.value, ast.Constant) else None
    return None


def calls(package, wanted):
    """Yields each served call with its parameters."""
    reader = Reader(package)
    for path in sorted((package.root / "stripe").rglob("_*_service.py")):
        dotted = ".".join(path.relative_to(package.root).with_suffix("").parts)
        if ".v2." in dotted:
            continue
        module = package.module(dotted)
        for full, node in module.classes.items():
            for method in node.body:
                if not isinstance(method, ast.FunctionDef):
                    continue
                call = request_of(method)
                params = params_of(method)
                if call not in wanted or params is None:
                    continue
                found = package.find(dotted, params, full)
                if found:
                    yield call, {"kind": "hash", "members": reader.members(*found)}


def request_of(method):
    """Returns the call that a method of a service makes, with `{id}` for each part that varies."""
    for node in ast.walk(method):
        if not isinstance(node, ast.Call) or dotted_name(node.func) != "self._request":
            continue
        verb, address = node.args[0].value, node.args[1]
        if isinstance(address, ast.Call):
            address = address.func.value
        return verb.upper() + " " + re.sub(r"\{[^}]*\}", "{id}", address.value)
    return None


def params_of(method):
    names = method.args.args + method.args.kwonlyargs
    for argument in names:
        if argument.arg == "params" and argument.annotation is not None:
            node = expression(argument.annotation)
            if isinstance(node, ast.Subscript):
                node = expression(node.slice)
            return dotted_name(node)
    return None


def objects(package):
    """Yields each object with its keys."""
    reader = Reader(package)
    for path in sorted((package.root / "stripe").rglob("_*.py")):
        dotted = ".".join(path.relative_to(package.root).with_suffix("").parts)
        if ".v2." in dotted or ".params." in dotted:
            continue
        if "OBJECT_NAME" not in path.read_text(encoding="utf-8"):
            continue
        module = package.module(dotted)
        for full, node in module.classes.items():
            name = object_name(node)
            if name and "." not in full:
                found = (dotted, full)
                yield name, {"kind": "hash", "members": reader.members(*found, path=(found,))}


def main():
    package = Package(pathlib.Path(sys.argv[1]))
    wanted = set(pathlib.Path(sys.argv[2]).read_text().split("\n"))
    version = (package.root / "stripe" / "_api_version.py").read_text(encoding="utf-8")
    found = {
        "version": re.search(r'CURRENT = "([^"]*)"', version).group(1),
        "calls": dict(calls(package, wanted)),
        "objects": dict(objects(package)),
    }
    json.dump(found, sys.stdout, sort_keys=True)


main()
